import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import { providerContract, providerExample, providerShape, toProviderJson } from "./provider-shape.ts";

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(128).optional(),
});

/** `GET /api/v1/providers`: those the caller may manage, in their order; the cursor is the name of the last one seen. */
export function listProvidersRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "GET",
    url: "/api/v1/providers",
    config: { contract: providerContract("GET", "/api/v1/providers") },
    schema: {
      summary: "List the providers that the caller may manage, in their order.",
      querystring: query,
      response: { 200: z.object({ data: z.array(providerShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [providerExample], next_cursor: null } },
    },
    handler: async (request) => {
      const { limit, cursor } = request.query;
      const { caller } = exchangeOf(request);
      const names = parts.providers
        .ordered()
        .map((provider) => provider.name)
        .filter(
          (name) => caller !== undefined && parts.gates.authorizer.allows(caller, "providers.manage", name),
        );
      const start = cursor === undefined ? 0 : names.indexOf(cursor) + 1;
      const page = names.slice(start, start + limit);
      const views = await Promise.all(page.map((name) => parts.providers.view(name)));
      const last = page.at(-1);
      return {
        data: views.map(toProviderJson),
        next_cursor: start + limit < names.length && last !== undefined ? last : null,
      };
    },
  });
}
