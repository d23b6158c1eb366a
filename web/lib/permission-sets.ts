import { useInfiniteQuery } from "@tanstack/react-query";
import { call } from "./api.ts";
import type { Operations } from "./api-types.ts";
import { pagesOf } from "./pages-of.ts";

/** How the list is sorted, and what narrows it. */
type Filter = Omit<Operations["GET /api/v1/permission-sets"]["query"], "cursor">;

/** Every list of permission sets. */
export const PERMISSION_SETS = ["permission-sets"] as const;

/** The sets in force, the built-in ones first unless asked. */
export function permissionSets(filter: Filter = {}) {
  return pagesOf([...PERMISSION_SETS, filter], ({ cursor, signal }) =>
    call("GET /api/v1/permission-sets", { query: { ...filter, cursor }, signal }),
  );
}

/** Their names, for a field that offers them; none while they are read, and for who may not read them. */
export function usePermissionSetNames(): string[] {
  const { data } = useInfiniteQuery(permissionSets());
  return data?.pages.flatMap((page) => page.data.map(({ name }) => name)) ?? [];
}
