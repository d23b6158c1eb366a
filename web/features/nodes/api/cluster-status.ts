import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const WHILE_MEMBER_MS = 5000;

/** Whether this server is in a cluster, and for how long others may join: any member opens it, and none tells by an event. */
export function clusterStatus() {
  return queryOptions({
    queryKey: ["cluster"],
    queryFn: ({ signal }) => call("GET /api/v1/cluster", { signal }),
    refetchInterval: ({ state }) => (state.data?.status === "member" ? WHILE_MEMBER_MS : false),
  });
}
