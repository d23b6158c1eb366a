import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { keyContract, keyExample, keyShape } from "./key-shape.ts";

const PATH = "/api/v1/keys";
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(128).optional(),
  name: z.string().max(128).optional(),
});

/**
 * `GET /api/v1/keys`: the keys whose names the caller may manage, newest first, the revoked too; with `name`, the one
 * called so that is not revoked.
 */
export function listKeysRoute(api: Api, parts: { keys: IssuedKeys; gates: Gates }): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: keyContract("GET", PATH) },
    schema: {
      summary: "List the keys whose names the caller may manage, newest first, the revoked too.",
      querystring: query,
      response: { 200: z.object({ data: z.array(keyShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [keyExample], next_cursor: null } },
    },
    handler: async (request) => {
      const { caller } = exchangeOf(request);
      const { limit, cursor, name } = request.query;
      const visible = (of: string) =>
        caller !== undefined && parts.gates.authorizer.allows(caller, "keys.manage", of);
      if (name !== undefined) {
        const named = visible(name) ? await parts.keys.findNamed(name) : undefined;
        return { data: named === undefined ? [] : [named], next_cursor: null };
      }
      return parts.keys.list({ limit, cursor }, visible);
    },
  });
}
