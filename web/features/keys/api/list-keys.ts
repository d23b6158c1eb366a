import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** The keys, newest first, the revoked too. */
export function listKeys() {
  return pagesOf(["keys"], ({ cursor, signal }) => call("GET /api/v1/keys", { query: { cursor }, signal }));
}
