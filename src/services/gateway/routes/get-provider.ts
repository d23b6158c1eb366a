import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import {
  providerContract,
  providerExample,
  providerParams,
  providerShape,
  toProviderJson,
} from "./provider-shape.ts";

/** `GET /api/v1/providers/{name}`. */
export function getProviderRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "GET",
    url: "/api/v1/providers/:name",
    config: { contract: providerContract("GET", "/api/v1/providers/{name}") },
    schema: {
      summary: "Show a provider; of its credentials only their ends.",
      params: providerParams,
      response: { 200: providerShape },
      example: { answer: providerExample },
    },
    handler: async (request) => {
      const { name } = request.params;
      authorise(parts.gates, exchangeOf(request), "providers.manage", name);
      return toProviderJson(await parts.providers.view(name));
    },
  });
}
