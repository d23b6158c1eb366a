import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Which server key is set, since when, and what else unlocks. */
export function keyDetails() {
  return queryOptions({
    queryKey: ["key-details"],
    queryFn: ({ signal }) => call("GET /api/v1/key/details", { signal }),
  });
}
