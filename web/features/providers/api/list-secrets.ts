import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** The sealed secrets to which providers of the configuration file refer. */
export function listSecrets() {
  return queryOptions({
    queryKey: ["credentials"],
    queryFn: ({ signal }) => call("GET /api/v1/credentials", { query: { limit: 1000 }, signal }),
  });
}
