import { sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import { Calendar } from "./window.ts";

const DAY_MS = 86_400_000;

/** What a principal used of the UTC day and of the UTC month of a moment. */
export interface WindowUse {
  readonly principal: string;
  readonly dayTokens: number;
  readonly monthNanoUsd: number;
}

/** Of all these principals (a few) together. */
export async function usedByAll(
  query: Query,
  principals: readonly string[],
  nowMs: number,
): Promise<Omit<WindowUse, "principal">> {
  const calendar = new Calendar();
  const [today, first] = [calendar.day(nowMs).fromMs / DAY_MS, calendar.month(nowMs).fromMs / DAY_MS];
  // Named one by one, so that the index leads to each.
  const days = Array.from({ length: today - first + 1 }, (_, number) => first + number);
  const result = await sql<Omit<WindowUse, "principal">>`
    SELECT coalesce(sum(CASE WHEN day = ${today} THEN input_tokens + output_tokens ELSE 0 END), 0) AS dayTokens,
      coalesce(sum(cost_nano_usd), 0) AS monthNanoUsd
    FROM usage_day_now WHERE day IN (${sql.join(days)}) AND principal IN (${sql.join(principals)})`.execute(
    query,
  );
  return result.rows[0] ?? { dayTokens: 0, monthNanoUsd: 0 };
}

/** Of each principal that asked anything in the UTC month of `nowMs`, by the sums of the request rows. */
export async function usedInWindows(query: Query, nowMs: number): Promise<readonly WindowUse[]> {
  const calendar = new Calendar();
  const today = calendar.day(nowMs).fromMs;
  const result = await sql<WindowUse>`
    SELECT principal, sum(CASE WHEN day = ${today} / 86400000 THEN input_tokens + output_tokens ELSE 0 END) AS dayTokens,
      coalesce(sum(cost_nano_usd), 0) AS monthNanoUsd
    FROM usage_day_now WHERE day BETWEEN ${calendar.month(nowMs).fromMs} / 86400000 AND ${today} / 86400000
    GROUP BY principal`.execute(query);
  return result.rows;
}
