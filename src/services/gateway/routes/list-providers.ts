import { z } from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import { providerShape, toProviderJson } from "./provider-shape.ts";

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(128).optional(),
});

/** `GET /api/v1/providers`: all in their order; the cursor is the name of the last one seen. */
export function listProvidersRoute(api: Api, providers: Providers): void {
  api.route({
    method: "GET",
    url: "/api/v1/providers",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/providers",
        action: "providers.manage",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      querystring: query,
      response: { 200: z.object({ data: z.array(providerShape), next_cursor: z.string().nullable() }) },
    },
    handler: async (request) => {
      const { limit, cursor } = request.query;
      const names = providers.ordered().map((provider) => provider.name);
      const start = cursor === undefined ? 0 : names.indexOf(cursor) + 1;
      const page = names.slice(start, start + limit);
      const views = await Promise.all(page.map((name) => providers.view(name)));
      const last = page.at(-1);
      return {
        data: views.map(toProviderJson),
        next_cursor: start + limit < names.length && last !== undefined ? last : null,
      };
    },
  });
}
