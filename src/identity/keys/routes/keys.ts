import { z } from "zod";
import type { PermissionSets } from "#gates/access/index.ts";
import { authorOf } from "#platform/http/exchange.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { IssuedKeys } from "../issued-keys.ts";

const keyShape = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  last4: z.string(),
  permissions: z.array(z.string()),
  source: z.literal("store"),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});
const created = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
  created_at: z.string(),
});
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(128).optional(),
});
const contract = (method: RouteContract["method"], path: string): RouteContract => ({
  method,
  path,
  action: "keys.manage",
  openWhileLocked: false,
  family: "api",
});

/** `POST`, `GET /api/v1/keys` and `DELETE /api/v1/keys/{id}`: issue (the key is shown this once), list, revoke. */
export function keyRoutes(api: Api, { keys, sets }: { keys: IssuedKeys; sets: PermissionSets }): void {
  api.route({
    method: "POST",
    url: "/api/v1/keys",
    config: { contract: contract("POST", "/api/v1/keys") },
    schema: {
      body: z.strictObject({ name: z.string().max(63), permissions: z.array(z.string().max(63)).max(32) }),
      response: { 201: created },
    },
    handler: async (request, reply) => {
      const by = authorOf(exchangeOf(request));
      const issued = await keys.create({ ...request.body, by }, sets);
      return reply.code(201).send({ ...issued, key: issued.key.expose() });
    },
  });
  api.route({
    method: "GET",
    url: "/api/v1/keys",
    config: { contract: contract("GET", "/api/v1/keys") },
    schema: {
      querystring: query,
      response: { 200: z.object({ data: z.array(keyShape), next_cursor: z.string().nullable() }) },
    },
    handler: async (request) => keys.list({ limit: request.query.limit, cursor: request.query.cursor }),
  });
  api.route({
    method: "DELETE",
    url: "/api/v1/keys/:id",
    config: { contract: contract("DELETE", "/api/v1/keys/{id}") },
    schema: { params: z.object({ id: z.string().max(64) }) },
    handler: async (request, reply) => {
      const outcome = await keys.revoke(request.params.id, authorOf(exchangeOf(request)));
      if (!outcome.recorded)
        throw new AppError(
          "storage_full",
          "The key is refused from now on, but that could not be written yet; it is tried again.",
          { cause: outcome.cause },
        );
      return reply.code(204).send();
    },
  });
}
