import { useInfiniteQuery } from "@tanstack/react-query";
import { call } from "./api.ts";
import { pagesOf } from "./pages-of.ts";

/** The sets in force, the built-in ones first. */
export function permissionSets() {
  return pagesOf(["permission-sets"], ({ signal }) => call("GET /api/v1/permission-sets", { signal }));
}

/** Their names, for a field that offers them; none while they are read, and for who may not read them. */
export function usePermissionSetNames(): string[] {
  const { data } = useInfiniteQuery(permissionSets());
  return data?.pages.flatMap((page) => page.data.map(({ name }) => name)) ?? [];
}
