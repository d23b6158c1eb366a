import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** The settings that hold now, and where each is from. */
export function settingsInForce() {
  return queryOptions({
    queryKey: ["settings"],
    queryFn: ({ signal }) => call("GET /api/v1/settings", { signal }),
  });
}
