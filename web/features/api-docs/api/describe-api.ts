import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { operationsOf } from "../operation.ts";

/** Every operation of this server, from its own description. */
export function describeApi() {
  return queryOptions({
    queryKey: ["openapi"],
    queryFn: async ({ signal }) => operationsOf(await call("GET /api/v1/openapi.json", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
