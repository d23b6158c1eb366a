import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** Where the server listens, and what of the file it could not open. */
export function listListeners() {
  return pagesOf(["listeners"], ({ signal }) => call("GET /api/v1/listeners", { signal }));
}
