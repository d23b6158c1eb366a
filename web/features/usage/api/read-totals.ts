import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { UsageAsked } from "./list-usage.ts";

/** What was used on these days in all. */
export function readTotals({ from, to }: UsageAsked) {
  return queryOptions({
    queryKey: ["usage", "totals", from, to],
    queryFn: ({ signal }) => call("GET /api/v1/overview", { query: { from, to, step: "day" }, signal }),
  });
}
