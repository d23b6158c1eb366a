import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";

export type Principal = Operations["GET /api/v1/requests/principals"]["response"]["data"][number];

const SHOWN = 20;

/** Keys and identities with this text in their names, or of this id; the first of very many. */
export function findPrincipals(search: string) {
  return queryOptions({
    queryKey: ["principals", search],
    queryFn: ({ signal }) =>
      call("GET /api/v1/requests/principals", { query: { search, limit: SHOWN }, signal }),
    placeholderData: keepPreviousData,
  });
}
