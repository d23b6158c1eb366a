import { type RawBuilder, sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";

const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** What rows are summed by, in milliseconds. */
export const STEPS_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;

/** A request counts under the first of these (milliseconds) that it did not exceed; the last one takes all. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  1,
  2,
  3,
  5,
  7,
  10,
  15,
  20,
  30,
  50,
  70,
  100,
  150,
  200,
  300,
  500,
  700,
  1000,
  1500,
  2000,
  3000,
  5000,
  7000,
  10_000,
  15_000,
  20_000,
  30_000,
  50_000,
  70_000,
  100_000,
  150_000,
  200_000,
  300_000,
  600_000,
  DAY_MS,
];

/** What rows can be found by, and under which number in the index. */
export const INDEXED = { principal: 1, model: 2, provider: 3, status: 4, request_id: 5 } as const;

/** Rows behind `after` up to `upTo`, by their number. */
interface Slice {
  readonly after: number;
  readonly upTo: number;
}

/** How far the sums are. */
export interface Progress {
  readonly summed: number;
  readonly unsummed: number;
  readonly newest: number;
}

export async function readProgress(query: Query): Promise<Progress> {
  const { rows } = await sql<Progress>`
    SELECT summed, unsummed, coalesce((SELECT max(seq) FROM request), 0) AS newest FROM usage_progress`.execute(
    query,
  );
  return rows[0] ?? { summed: 0, unsummed: 0, newest: 0 };
}

/** How much is summed at once. */
export interface Portion {
  readonly rows: number;
  /** Rows of before this moment are in no sum by the minute. */
  readonly minutesFrom: number;
}

/** Within a transaction: takes some of the rows that came in since into all sums. True when none is left. */
export async function sumNewRows(query: Query, { rows, minutesFrom }: Portion): Promise<boolean> {
  const { summed, newest } = await readProgress(query);
  const upTo = Math.min(newest, summed + rows);
  if (upTo > summed) {
    await addSums(query, { after: summed, upTo }, { days: "all", minutesFrom });
    await addToIndex(query, { after: summed, upTo });
    await query.updateTable("usage_progress").set({ summed: upTo }).execute();
  }
  return upTo >= newest;
}

/** Within a transaction: takes some rows of before the upgrade, the newest first. True when none is left. */
export async function sumOldRows(query: Query, { rows, minutesFrom }: Portion): Promise<boolean> {
  const { unsummed } = await readProgress(query);
  const after = Math.max(0, unsummed - rows);
  if (unsummed > 0) {
    await addSums(query, { after, upTo: unsummed }, { days: "errors", minutesFrom });
    await addToIndex(query, { after, upTo: unsummed });
    await query.updateTable("usage_progress").set({ unsummed: after }).execute();
  }
  return after === 0;
}

/** Minutes before this are dropped, and entries of the index that lead to no row; at most an hour of each. */
export async function dropOld(query: Query, minutesBefore: number): Promise<void> {
  for (const table of [sql`usage_step`, sql`latency_step`])
    await sql`DELETE FROM ${table} WHERE step = ${MINUTE_MS} AND start < min(${minutesBefore},
      (SELECT min(start) FROM ${table} WHERE step = ${MINUTE_MS}) + ${HOUR_MS})`.execute(query);
  await sql`DELETE FROM request_index WHERE hour = (SELECT min(hour) FROM request_index)
    AND hour < coalesce((SELECT min(time) / ${HOUR_MS} FROM request), hour + 1)`.execute(query);
}

const ADDED = sql`requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens,
  cost_nano_usd = CASE WHEN excluded.cost_nano_usd IS NULL THEN cost_nano_usd
    ELSE coalesce(cost_nano_usd, 0) + excluded.cost_nano_usd END,
  client_errors = client_errors + excluded.client_errors, server_errors = server_errors + excluded.server_errors`;
const ADDED_DOUBTS = sql`estimated_requests = estimated_requests + excluded.estimated_requests,
  unpriced_requests = unpriced_requests + excluded.unpriced_requests`;
/** Whole where it is exact; beyond, `sum` would be an error. */
const COST = sql`CASE WHEN count(cost_nano_usd) = 0 THEN NULL
  WHEN total(cost_nano_usd) < 9e15 THEN CAST(total(cost_nano_usd) AS INTEGER) ELSE total(cost_nano_usd) END`;
/** Of rows, in the order in which `ADDED_UP` has them. */
const FIGURES = sql`count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), ${COST}, sum(estimated),
  sum(coalesce(input_tokens, output_tokens) IS NOT NULL AND cost_nano_usd IS NULL),
  sum(status BETWEEN 400 AND 499), sum(status >= 500)`;
const FIGURE_COLUMNS = sql`requests, input_tokens, output_tokens, cost_nano_usd, estimated_requests, unpriced_requests,
  client_errors, server_errors`;
/** Of sums of rows. */
const ADDED_UP = sql`sum(requests), sum(input_tokens), sum(output_tokens), ${COST}, sum(estimated_requests),
  sum(unpriced_requests), sum(client_errors), sum(server_errors)`;

/** A slice is read for two sums only, and all that are kept are made of them: its rows are many, and these few. */
async function addSums(query: Query, slice: Slice, how: { days: Days; minutesFrom: number }): Promise<void> {
  await sql`CREATE TEMP TABLE IF NOT EXISTS slice_hour (start, principal, provider, model, ${FIGURE_COLUMNS})`.execute(
    query,
  );
  await sql`DELETE FROM slice_hour`.execute(query);
  await sql`INSERT INTO slice_hour SELECT ${startOf(HOUR_MS)}, principal, coalesce(provider, ''), model, ${FIGURES}
    ${from(slice)} GROUP BY 1, 2, 3, 4`.execute(query);
  await addDays(query, how.days);
  await addPrincipalHours(query);
  await sql`CREATE TEMP TABLE IF NOT EXISTS slice_minute (start, provider, model, latency, first_byte, ${FIGURE_COLUMNS})`.execute(
    query,
  );
  await sql`DELETE FROM slice_minute`.execute(query);
  await sql`INSERT INTO slice_minute SELECT ${startOf(MINUTE_MS)}, coalesce(provider, ''), model, ${boundOf("latency_ms")},
      CASE WHEN first_byte_ms IS NOT NULL THEN ${boundOf("first_byte_ms")} END, ${FIGURES}
    ${from(slice)} GROUP BY 1, 2, 3, 4, 5`.execute(query);
  await addUsage(query, how.minutesFrom);
  await addLatencies(query, how.minutesFrom);
}

/** `errors`: all but these was counted when the rows came in. */
type Days = "all" | "errors";

async function addDays(query: Query, days: Days): Promise<void> {
  const figures =
    days === "all" ? ADDED_UP : sql`0, 0, 0, NULL, 0, 0, sum(client_errors), sum(server_errors)`;
  await sql`INSERT INTO usage_day (day, principal, provider, model, ${FIGURE_COLUMNS})
    SELECT start / ${DAY_MS}, principal, provider, model, ${figures} FROM slice_hour WHERE TRUE GROUP BY 1, 2, 3, 4
    ON CONFLICT (day, principal, provider, model) DO UPDATE SET ${ADDED}, ${ADDED_DOUBTS}`.execute(query);
}

async function addPrincipalHours(query: Query): Promise<void> {
  await sql`INSERT INTO principal_hour (start, principal, requests, input_tokens, output_tokens, cost_nano_usd,
      client_errors, server_errors)
    SELECT start, principal, sum(requests), sum(input_tokens), sum(output_tokens), ${COST}, sum(client_errors),
      sum(server_errors) FROM slice_hour WHERE TRUE GROUP BY 1, 2
    ON CONFLICT (start, principal) DO UPDATE SET ${ADDED}`.execute(query);
}

const STEPS = sql`(VALUES ${sql.join(Object.values(STEPS_MS).map((ms) => sql`(${sql.lit(ms)})`))})`;

async function addUsage(query: Query, minutesFrom: number): Promise<void> {
  await sql`WITH steps (step) AS ${STEPS}
    INSERT INTO usage_step (step, start, provider, model, ${FIGURE_COLUMNS})
      SELECT step, start - start % step, provider, model, ${ADDED_UP}
      FROM steps CROSS JOIN slice_minute WHERE ${isKept(minutesFrom)} GROUP BY 1, 2, 3, 4
      ON CONFLICT (step, start, provider, model) DO UPDATE SET ${ADDED}, ${ADDED_DOUBTS}`.execute(query);
}

async function addLatencies(query: Query, minutesFrom: number): Promise<void> {
  await sql`WITH counts AS (
      SELECT start, provider, model, latency AS bound, requests, 0 AS first_bytes FROM slice_minute
      UNION ALL SELECT start, provider, model, first_byte, 0, requests FROM slice_minute WHERE first_byte IS NOT NULL
    ), steps (step) AS ${STEPS}
    INSERT INTO latency_step (step, start, provider, model, bound, requests, first_bytes)
      SELECT step, start - start % step, provider, model, bound, sum(requests), sum(first_bytes)
      FROM steps CROSS JOIN counts WHERE ${isKept(minutesFrom)} GROUP BY 1, 2, 3, 4, 5
      ON CONFLICT (step, start, provider, model, bound) DO UPDATE SET
        requests = requests + excluded.requests, first_bytes = first_bytes + excluded.first_bytes`.execute(
    query,
  );
}

function isKept(minutesFrom: number): RawBuilder<unknown> {
  return sql`(step > ${MINUTE_MS} OR start >= ${minutesFrom})`;
}

/**
 * A kind after the other, and unsorted: rows come nearly in the order of their time, and so behind the entries of their value.
 * Most answers are a 200: those have no entry. One of a row whose number was given back may be there still.
 */
async function addToIndex(query: Query, slice: Slice): Promise<void> {
  const add = (column: keyof typeof INDEXED, where = sql`TRUE`) =>
    sql`INSERT OR IGNORE INTO request_index (hour, kind, value, at, seq)
      SELECT time / ${HOUR_MS}, ${INDEXED[column]}, ${sql.ref(column)}, time % ${HOUR_MS}, seq
      ${from(slice)} AND ${where}`.execute(query);
  await add("principal");
  await add("model");
  await add("provider", sql`provider IS NOT NULL`);
  await add("status", sql`status <> 200`);
  await add("request_id", sql`id_tells_time = 0`);
}

/** By their numbers alone, whatever other index there is. */
function from({ after, upTo }: Slice): RawBuilder<unknown> {
  return sql`FROM request NOT INDEXED WHERE seq > ${after} AND seq <= ${upTo}`;
}

function startOf(step: number): RawBuilder<unknown> {
  return sql`time - time % ${step}`;
}

/** The bound that a column's figure counts under, looked for by halves: each row asks twice. */
export function boundOf(column: "latency_ms" | "first_byte_ms"): RawBuilder<unknown> {
  const figure = sql.ref(column);
  const among = (bounds: readonly number[]): RawBuilder<unknown> => {
    if (bounds.length === 1) return sql.lit(bounds[0]);
    const half = bounds.length >> 1;
    const [lower, upper] = [bounds.slice(0, half), bounds.slice(half)];
    return sql`CASE WHEN ${figure} <= ${sql.lit(lower.at(-1))} THEN ${among(lower)} ELSE ${among(upper)} END`;
  };
  return among(LATENCY_BOUNDS_MS);
}
