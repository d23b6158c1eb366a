import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** What the server is and in which state. */
export function serverInfo() {
  return queryOptions({
    queryKey: ["info"],
    queryFn: ({ signal }) => call("GET /api/v1/info", { signal }),
  });
}
