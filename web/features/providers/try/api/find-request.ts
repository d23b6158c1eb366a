import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** The server's own figures for a request that is over: among the latest rows, null where it is not. */
export function findRequest(requestId: string) {
  return queryOptions({
    queryKey: ["requests", "of", requestId],
    queryFn: async ({ signal }) => {
      const { data } = await call("GET /api/v1/requests", { query: { limit: 100 }, signal });
      return data.find(({ request_id }) => request_id === requestId) ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
