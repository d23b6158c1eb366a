import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import { findPrincipals, type NamedIdentity } from "../store.ts";

const query = z.strictObject({
  search: z.string().max(256).default(""),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
const row = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["key", "identity"]),
  revoked: z.boolean(),
});
const example = {
  id: "key_4fT0qJ7c2LxV",
  name: "editor",
  kind: "key",
  revoked: false,
} satisfies z.infer<typeof row>;

/** `GET /api/v1/requests/principals`: whose requests can be asked for, found by a part of their name or by their id. */
export function listPrincipalsRoute(
  api: Api,
  parts: { database: Database; identities: () => readonly NamedIdentity[] },
): void {
  api.route({
    method: "GET",
    url: "/api/v1/requests/principals",
    config: {
      contract: {
        method: "GET",
        path: "/api/v1/requests/principals",
        action: "requests.read",
        openWhileLocked: false,
        family: "api",
      },
    },
    schema: {
      summary: "Find keys, the revoked too, and identities by a part of their name or by their id.",
      querystring: query,
      response: { 200: z.object({ data: z.array(row), next_cursor: z.null() }) },
      example: { answer: { data: [example], next_cursor: null } },
    },
    handler: async (request) => ({
      data: [...(await findPrincipals(parts.database.query, request.query, parts.identities()))],
      next_cursor: null,
    }),
  });
}
