import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const LOOK_EVERY_MS = 5000;

/** The latest request of a program, looked for until there is one. */
export function firstRequest() {
  return queryOptions({
    queryKey: ["first-request"],
    queryFn: ({ signal }) => call("GET /api/v1/requests", { query: { limit: 1 }, signal }),
    refetchInterval: ({ state }) => ((state.data?.data.length ?? 0) > 0 ? false : LOOK_EVERY_MS),
  });
}
