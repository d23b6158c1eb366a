import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { type Range, startOf } from "#lib/ranges.ts";

type Asked = Operations["GET /api/v1/overview/top"]["query"];
export type TopBy = NonNullable<Asked["by"]>;
export type Metric = NonNullable<Asked["metric"]>;
export type TopRow = Operations["GET /api/v1/overview/top"]["response"]["data"][number];

const SHOWN = 8;

/** Who or what has the most of `metric`. */
export function listTop(range: Range, by: TopBy, metric: Metric) {
  const query = () => ({ from: startOf(range), by, metric, limit: SHOWN });
  return queryOptions({
    queryKey: ["overview", "top", range.value, by, metric],
    queryFn: ({ signal }) => call("GET /api/v1/overview/top", { query: query(), signal }),
    placeholderData: keepPreviousData,
  });
}
