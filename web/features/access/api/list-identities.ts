import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** How the list is sorted, and what narrows it. */
type Filter = Omit<Operations["GET /api/v1/identities"]["query"], "cursor">;

/** Every list of identities. */
export const IDENTITIES = ["identities"] as const;

/** The identities of the configuration file, by name unless asked. */
export function listIdentities(filter: Filter) {
  return pagesOf([...IDENTITIES, filter], ({ cursor, signal }) =>
    call("GET /api/v1/identities", { query: { ...filter, cursor }, signal }),
  );
}
