import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

type Asked = Operations["GET /api/v1/keys"]["query"];
/** How the list is sorted, and what narrows it. */
export type KeyFilter = Omit<Asked, "cursor" | "name">;

/** Every list of keys. */
export const KEYS = ["keys"] as const;

/** The keys, newest first unless asked, the revoked too. */
export function listKeys(filter: KeyFilter) {
  return pagesOf([...KEYS, filter], ({ cursor, signal }) =>
    call("GET /api/v1/keys", { query: { ...filter, cursor }, signal }),
  );
}
