import * as z from "zod";
import { authorOf } from "#platform/http/exchange.ts";
import { authorise, type Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { Secret } from "#platform/lib/secret.ts";
import { providerOptionsChange } from "../providers/options.ts";
import type { Providers } from "../providers/providers.ts";
import {
  credentialBody,
  credentialExample,
  providerContract,
  providerExample,
  providerParams,
  providerShape,
  toProviderJson,
} from "./provider-shape.ts";

const body = z
  .strictObject({
    base_url: z.string().max(2048).optional(),
    options: providerOptionsChange.optional(),
    credentials: z.array(credentialBody).max(16).optional(),
  })
  .meta({ id: "ProviderChange" });

/**
 * `PATCH /api/v1/providers/{name}`: what is absent stays, in `options` too, where null removes one. `credentials`
 * replace the whole pool; another origin needs new ones (400).
 */
export function changeProviderRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "PATCH",
    url: "/api/v1/providers/:name",
    config: { contract: providerContract("PATCH", "/api/v1/providers/{name}") },
    schema: {
      summary: "Change a provider: what is absent stays, `credentials` replace the whole pool.",
      params: providerParams,
      body,
      response: { 200: providerShape },
      example: {
        body: { options: { headers_timeout_ms: 60_000, proxy: null }, credentials: [credentialExample] },
        answer: { ...providerExample, options: { headers_timeout_ms: 60_000 } },
      },
      errors: ["base_url_denied", "declared_in_file"],
    },
    handler: async (request) => {
      const { name } = request.params;
      const exchange = exchangeOf(request);
      authorise(parts.gates, exchange, "providers.manage", name);
      const change = {
        baseUrl: request.body.base_url,
        options: request.body.options,
        credentials: request.body.credentials?.map(({ value }) => new Secret(value)),
      };
      return toProviderJson(await parts.providers.change(name, change, authorOf(exchange)));
    },
  });
}
