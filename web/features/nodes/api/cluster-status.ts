import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const WHILE_JOINING_MS = 5000;

/** Whether this server is in a cluster, and for how long others may join; asked often while they may. */
export function clusterStatus() {
  return queryOptions({
    queryKey: ["cluster"],
    queryFn: ({ signal }) => call("GET /api/v1/cluster", { signal }),
    refetchInterval: ({ state }) =>
      state.data === undefined || state.data.joining_open_until === null ? false : WHILE_JOINING_MS,
  });
}
