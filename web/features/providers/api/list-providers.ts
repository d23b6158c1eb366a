import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** The providers, those of the file first. */
export function listProviders() {
  return pagesOf(["providers"], ({ cursor, signal }) =>
    call("GET /api/v1/providers", { query: { cursor }, signal }),
  );
}
