import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Whether the server is still being set up, and what was left out. */
export function firstRun() {
  return queryOptions({
    queryKey: ["first-run"],
    queryFn: ({ signal }) => call("GET /api/v1/first-run", { signal }),
  });
}
