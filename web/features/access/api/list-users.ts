import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** Everybody who may sign in, by name. */
export function listUsers() {
  return pagesOf(["users"], ({ signal }) => call("GET /api/v1/users", { signal }));
}
