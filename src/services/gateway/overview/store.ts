import { type RawBuilder, sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import { boundOf, STEPS_MS } from "../sums/store.ts";
import { DAY_MS } from "../usage/usage-period.ts";
import type { SteppedPeriod } from "./overview-period.ts";

/** What was used in one step. */
export interface StepSum {
  readonly start: number;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Requests of which the cost is known, and what they cost: only so many of them, when they are none it is 0. */
  readonly priced: number;
  readonly cost_nano_usd: number;
  readonly estimated_requests: number;
  readonly unpriced_requests: number;
  readonly client_errors: number;
  readonly server_errors: number;
}

/** How many requests of one step, or of a whole period, took at most this long, and their first byte. */
export interface LatencyCount {
  readonly start: number;
  readonly bound: number;
  readonly requests: number;
  readonly first_bytes: number;
}

/** Whoever used, and how much. */
export interface TopSum {
  /** A principal, a model or a provider; empty for none. */
  readonly id: string;
  readonly requests: number;
  readonly errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
}

export const TOP_BY = ["key", "model", "provider", "identity"] as const;
export type TopBy = (typeof TOP_BY)[number];
export const METRICS = ["requests", "tokens", "cost", "errors"] as const;
export type Metric = (typeof METRICS)[number];

const FIGURES = sql`requests, input_tokens, output_tokens, cost_nano_usd, estimated_requests, unpriced_requests,
  client_errors, server_errors`;
const OWN_FIGURES = sql`1, input_tokens, output_tokens, cost_nano_usd, estimated, unpriced, client_error, server_error`;

/** The steps in which there was a request, in order. */
export async function stepSums(query: Query, period: SteppedPeriod): Promise<readonly StepSum[]> {
  const { rows } = await sql<StepSum>`
    SELECT start, sum(requests) AS requests, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
      count(cost_nano_usd) AS priced, total(cost_nano_usd) AS cost_nano_usd,
      sum(estimated_requests) AS estimated_requests, sum(unpriced_requests) AS unpriced_requests,
      sum(client_errors) AS client_errors, sum(server_errors) AS server_errors
    FROM (
      SELECT start, ${FIGURES} FROM usage_step WHERE ${within(period)}
      UNION ALL SELECT ${startOf(period)}, ${OWN_FIGURES} FROM request_unsummed WHERE ${came(period)}
    ) GROUP BY 1 ORDER BY 1`.execute(query);
  return rows;
}

/** By step, or of the period as a whole, which then is its one start; in rising order of bounds. */
export async function latencyCounts(
  query: Query,
  period: SteppedPeriod,
  by: "step" | "period",
): Promise<readonly LatencyCount[]> {
  const start = by === "step" ? sql`start` : sql`${period.from}`;
  const { rows } = await sql<LatencyCount>`
    SELECT ${start} AS start, bound, sum(requests) AS requests, sum(first_bytes) AS first_bytes FROM (
      SELECT start, bound, requests, first_bytes FROM latency_step WHERE ${within(period)}
      UNION ALL SELECT ${startOf(period)}, ${boundOf("latency_ms")}, 1, 0 FROM request_unsummed WHERE ${came(period)}
      UNION ALL SELECT ${startOf(period)}, ${boundOf("first_byte_ms")}, 0, 1 FROM request_unsummed
        WHERE ${came(period)} AND first_byte_ms IS NOT NULL
    ) GROUP BY 1, 2 ORDER BY 1, 2`.execute(query);
  return rows;
}

/** Those with the most of `metric`, the most first. Principals are summed by the hour and the day alone. */
export async function topSums(
  query: Query,
  wanted: { by: TopBy; metric: Metric; period: SteppedPeriod; limit: number },
): Promise<readonly TopSum[]> {
  const { by, metric, period, limit } = wanted;
  const isPrincipal = by === "key" || by === "identity";
  const sums = isPrincipal ? principalSums(period) : modelSums(period, by);
  const { rows } = await sql<TopSum>`
    SELECT id, sum(requests) AS requests, sum(client_errors) + sum(server_errors) AS errors,
      sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
      CASE WHEN count(cost_nano_usd) > 0 THEN total(cost_nano_usd) / 1e9 END AS cost_usd
    FROM (${sums}) AS summed GROUP BY id HAVING ${whose(by)} ORDER BY ${ORDERS[metric]} DESC, id LIMIT ${limit}`.execute(
    query,
  );
  return rows;
}

const ORDERS: Record<Metric, RawBuilder<unknown>> = {
  requests: sql`requests`,
  tokens: sql`sum(input_tokens) + sum(output_tokens)`,
  cost: sql`total(cost_nano_usd)`,
  errors: sql`errors`,
};

function whose(by: TopBy): RawBuilder<unknown> {
  switch (by) {
    case "key":
      return sql`EXISTS (SELECT 1 FROM api_key WHERE api_key.id = summed.id)`;
    case "identity":
      return sql`NOT EXISTS (SELECT 1 FROM api_key WHERE api_key.id = summed.id)`;
    case "model":
    case "provider":
      return sql`TRUE`;
  }
}

function modelSums(period: SteppedPeriod, by: "model" | "provider"): RawBuilder<unknown> {
  const id = sql.ref(by);
  return sql`SELECT ${id} AS id, ${FIGURES} FROM usage_step WHERE ${within(period)}
    UNION ALL SELECT ${id}, ${OWN_FIGURES} FROM request_unsummed WHERE ${came(period)}`;
}

function principalSums(period: SteppedPeriod): RawBuilder<unknown> {
  if (period.step === "day")
    return sql`SELECT principal AS id, ${FIGURES} FROM usage_day_now
      WHERE day >= ${period.from / DAY_MS} AND day < ${period.to / DAY_MS}`;
  const figures = sql`requests, input_tokens, output_tokens, cost_nano_usd, client_errors, server_errors`;
  return sql`SELECT principal AS id, ${figures} FROM principal_hour
      WHERE start >= ${period.from} AND start < ${period.to}
    UNION ALL SELECT principal, 1, input_tokens, output_tokens, cost_nano_usd, client_error, server_error
      FROM request_unsummed WHERE ${came(period)}`;
}

function within({ from, to, step }: SteppedPeriod): RawBuilder<unknown> {
  return sql`step = ${STEPS_MS[step]} AND start >= ${from} AND start < ${to}`;
}

function came({ from, to }: SteppedPeriod): RawBuilder<unknown> {
  return sql`time >= ${from} AND time < ${to}`;
}

function startOf({ step }: SteppedPeriod): RawBuilder<unknown> {
  return sql`time - time % ${STEPS_MS[step]}`;
}
