import { type RawBuilder, sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import { DAY_MS, type Period } from "./usage-period.ts";

export const GROUPINGS = ["key", "model", "provider", "day"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Sums over one key, model, provider or day. */
export interface UsageSum {
  /** The principal's id, the model, the provider (empty for none) or the day's number. */
  readonly name: string | number;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the requests whose price was known; null when that is none. */
  readonly cost_usd: number | null;
  readonly estimated_requests: number;
  /** Requests with tokens and without a known price. */
  readonly unpriced_requests: number;
}

const COLUMNS: Record<Grouping, RawBuilder<unknown>> = {
  key: sql`principal`,
  model: sql`model`,
  provider: sql`provider`,
  day: sql`day`,
};

/**
 * Sums in the order of their names, from behind `after` on. Whole days come from the daily sums, parts of a day from
 * the request rows. Costs are added as integers and divided once.
 */
export async function usageSums(
  query: Query,
  wanted: { by: Grouping; period: Period; after: string | number | undefined; limit: number },
): Promise<readonly UsageSum[]> {
  const column = COLUMNS[wanted.by];
  const behind = wanted.after === undefined ? sql`TRUE` : sql`${column} > ${wanted.after}`;
  const result = await sql<UsageSum>`
    SELECT ${column} AS name, sum(requests) AS requests, sum(input_tokens) AS input_tokens,
      sum(output_tokens) AS output_tokens,
      CASE WHEN count(cost_nano_usd) > 0 THEN total(cost_nano_usd) / 1e9 END AS cost_usd,
      sum(estimated_requests) AS estimated_requests, sum(unpriced_requests) AS unpriced_requests
    FROM (${days(wanted.period)} UNION ALL ${partsOfDays(wanted.period)})
    WHERE ${behind} GROUP BY 1 ORDER BY 1 LIMIT ${wanted.limit}`.execute(query);
  return result.rows;
}

/** The days of which the period takes a part and the request rows are not all there any more. */
export async function incompleteDays(query: Query, period: Period): Promise<readonly number[]> {
  const edges = [period.from, period.to].filter((time) => time % DAY_MS !== 0);
  const numbers = [...new Set(edges.map((time) => Math.floor(time / DAY_MS)))];
  const incomplete: number[] = [];
  for (const day of numbers) {
    const { rows } = await sql<{ counted: number; kept: number }>`
      SELECT (SELECT coalesce(sum(requests), 0) FROM usage_day_now WHERE day = ${day}) AS counted,
        (SELECT count(*) FROM request WHERE time >= ${day * DAY_MS} AND time < ${(day + 1) * DAY_MS}) AS kept
      `.execute(query);
    if (rows.some(({ counted, kept }) => kept < counted)) incomplete.push(day);
  }
  return incomplete;
}

function days({ from, to }: Period): RawBuilder<unknown> {
  return sql`SELECT day, principal, provider, model, requests, input_tokens, output_tokens, cost_nano_usd,
      estimated_requests, unpriced_requests
    FROM usage_day_now WHERE day >= ${Math.ceil(from / DAY_MS)} AND day < ${Math.floor(to / DAY_MS)}`;
}

/** What lies before the first whole day and behind the last; in one day without a midnight, the period itself. */
function partsOfDays({ from, to }: Period): RawBuilder<unknown> {
  const firstMidnight = Math.ceil(from / DAY_MS) * DAY_MS;
  const lastMidnight = Math.floor(to / DAY_MS) * DAY_MS;
  const head = Math.min(firstMidnight, to);
  const tail = Math.max(lastMidnight, head);
  return sql`SELECT time / ${DAY_MS} AS day, principal, coalesce(provider, '') AS provider, model, 1,
      coalesce(input_tokens, 0), coalesce(output_tokens, 0), cost_nano_usd, estimated,
      coalesce(input_tokens, output_tokens) IS NOT NULL AND cost_nano_usd IS NULL
    FROM request WHERE (time >= ${from} AND time < ${head}) OR (time >= ${tail} AND time < ${to})`;
}
