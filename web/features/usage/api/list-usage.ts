import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

export type UsageRow = Operations["GET /api/v1/usage"]["response"]["data"][number];
export type UsageBy = NonNullable<Operations["GET /api/v1/usage"]["query"]["by"]>;

/** What usage is asked for: sums by what, and of which days. */
export interface UsageAsked {
  readonly by: UsageBy;
  readonly from: string;
  /** The day after the last one. */
  readonly to: string;
}

export type UsageSort = NonNullable<Operations["GET /api/v1/usage"]["query"]["sort"]>;

const A_PAGE = 200;
const LARGEST_PAGE = 1000;

/** Sums in the order that is asked for. */
export function listUsage(asked: UsageAsked, sort: UsageSort) {
  return pagesOf(
    ["usage", asked],
    ({ cursor, signal }) =>
      call("GET /api/v1/usage", { query: { ...asked, sort, limit: A_PAGE, cursor }, signal }),
    sort,
  );
}

/** The same, all pages of it. */
export async function readAllUsage(asked: UsageAsked, sort: UsageSort): Promise<readonly UsageRow[]> {
  const rows: UsageRow[] = [];
  let cursor: string | undefined;
  do {
    const page: Operations["GET /api/v1/usage"]["response"] = await call("GET /api/v1/usage", {
      query: { ...asked, sort, limit: LARGEST_PAGE, cursor },
    });
    rows.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return rows;
}
