import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const WHILE_RUNNING_MS = 500;

/** How far the re-sealing is; asked often while one runs, and otherwise when an event tells of one. */
export function resealProgress() {
  return queryOptions({
    queryKey: ["reseal-progress"],
    queryFn: ({ signal }) => call("GET /api/v1/key/reseal", { signal }),
    refetchInterval: ({ state }) => (state.data?.running === true ? WHILE_RUNNING_MS : false),
  });
}
