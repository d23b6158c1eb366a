import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** One provider; of its credentials only their ends. */
export function getProvider(name: string) {
  return queryOptions({
    queryKey: ["providers", name],
    queryFn: ({ signal }) => call("GET /api/v1/providers/{name}", { path: { name }, signal }),
  });
}
