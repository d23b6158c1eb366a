import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { Providers } from "../providers/providers.ts";
import { mayManageCredential } from "./provider-credential-rights.ts";
import { providerContract } from "./provider-shape.ts";

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(128).optional(),
});

const shape = z.object({
  name: z.string(),
  /** Whether it is set; one that is not is named by a provider of the configuration file. */
  set: z.boolean(),
  hint: z.string(),
  used_by: z.array(z.string()),
});

/** `GET /api/v1/credentials`: those the caller may manage, by name; the cursor is the name of the last one seen. */
export function listProviderCredentialsRoute(api: Api, parts: { gates: Gates; providers: Providers }): void {
  api.route({
    method: "GET",
    url: "/api/v1/credentials",
    config: { contract: providerContract("GET", "/api/v1/credentials") },
    schema: {
      summary: "List the secrets to which providers of the configuration file refer, by name and hint.",
      querystring: query,
      response: { 200: z.object({ data: z.array(shape), next_cursor: z.string().nullable() }) },
      example: {
        answer: {
          data: [{ name: "openai", set: true, hint: "word", used_by: ["openai"] }],
          next_cursor: null,
        },
      },
    },
    handler: async (request) => {
      const { limit, cursor = "" } = request.query;
      const exchange = exchangeOf(request);
      const rest = (await parts.providers.namedCredentials()).filter(
        ({ name }) => name > cursor && mayManageCredential(parts, exchange, name),
      );
      const page = rest.slice(0, limit);
      return {
        data: page.map(({ name, hint, usedBy }) => ({
          name,
          set: hint !== undefined,
          hint: hint ?? "",
          used_by: [...usedBy],
        })),
        next_cursor: rest.length > limit ? (page.at(-1)?.name ?? null) : null,
      };
    },
  });
}
