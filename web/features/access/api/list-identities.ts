import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** The identities of the configuration file, in its order. */
export function listIdentities() {
  return pagesOf(["identities"], ({ signal }) => call("GET /api/v1/identities", { signal }));
}
