import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** How the list is sorted, and what narrows it. */
type Filter = Omit<Operations["GET /api/v1/users"]["query"], "cursor">;

/** Every list of users. */
export const USERS = ["users"] as const;

/** Those who may sign in, by name unless asked. */
export function listUsers(filter: Filter) {
  return pagesOf([...USERS, filter], ({ cursor, signal }) =>
    call("GET /api/v1/users", { query: { ...filter, cursor }, signal }),
  );
}
