import * as z from "zod";
import type { Gates } from "#platform/http/pipeline.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { IssuedKeys } from "../issued-keys.ts";
import { KEY_SORTS, KEY_STATES } from "../list/store.ts";
import { keyContract, keyExample, keyShape } from "./key-shape.ts";

const PATH = "/api/v1/keys";
const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(512).optional(),
  name: z.string().max(128).optional(),
  sort: z.enum(KEY_SORTS).default("-created_at"),
  state: z.enum(KEY_STATES).optional(),
  /** A part of the name or of the id, or how the key's text begins, in whichever case. */
  search: z.string().max(256).optional(),
});
const WHOLE_KEY = /sk-claviger-[0-9a-z]{12}_[0-9a-z]/i;

/**
 * `GET /api/v1/keys`: the keys whose names the caller may manage, the newest first unless sorted otherwise, the revoked
 * too; with `name`, the one called so that is not revoked.
 */
export function listKeysRoute(api: Api, parts: { keys: IssuedKeys; gates: Gates }): void {
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: keyContract("GET", PATH) },
    schema: {
      summary: "List the keys whose names the caller may manage, sorted and filtered, the revoked too.",
      querystring: query,
      response: { 200: z.object({ data: z.array(keyShape), next_cursor: z.string().nullable() }) },
      example: { answer: { data: [keyExample], next_cursor: null } },
    },
    handler: async (request) => {
      const { caller } = exchangeOf(request);
      const { name, search, ...asked } = request.query;
      const visible = (of: string) =>
        caller !== undefined && parts.gates.authorizer.allows(caller, "keys.manage", of);
      if (name !== undefined) {
        const named = visible(name) ? await parts.keys.findNamed(name) : undefined;
        return { data: named === undefined ? [] : [named], next_cursor: null };
      }
      if (search !== undefined && WHOLE_KEY.test(search))
        throw new AppError("bad_request", "search takes the beginning of a key, and never the whole of it.");
      return parts.keys.list({ ...asked, search: search || undefined }, visible);
    },
  });
}
