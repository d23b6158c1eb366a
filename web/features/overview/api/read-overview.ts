import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { type Range, startOf } from "#lib/ranges.ts";

export type Overview = Operations["GET /api/v1/overview"]["response"];
export type Figures = Overview["totals"];
export type Point = Overview["series"][number];

/** Time passes also where nothing happens. */
const LONGEST_UNREAD_MS = 60_000;

/** What was used over a range that ends now, step by step, and in the range before. */
export function readOverview(range: Range) {
  return queryOptions({
    queryKey: ["overview", "figures", range.value],
    queryFn: ({ signal }) => call("GET /api/v1/overview", { query: { from: startOf(range) }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LONGEST_UNREAD_MS,
  });
}
