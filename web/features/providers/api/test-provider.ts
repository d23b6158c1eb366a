import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Asks the upstream itself, once for each time this is shown; nothing is changed by it. */
export function testProvider(name: string) {
  return queryOptions({
    queryKey: ["provider-test", name],
    queryFn: ({ signal }) => call("POST /api/v1/providers/{name}/test", { path: { name }, signal }),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}
