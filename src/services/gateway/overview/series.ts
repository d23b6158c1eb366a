import type { Query } from "#platform/storage/database.ts";
import { STEPS_MS } from "../sums/store.ts";
import type { SteppedPeriod } from "./overview-period.ts";
import { type Percentiles, percentilesOf } from "./percentiles.ts";
import { type LatencyCount, latencyCounts, type StepSum, stepSums } from "./store.ts";

/** What was used in a step or a period, and how long it took. */
export interface Figures {
  readonly requests: number;
  readonly errors: number;
  readonly client_errors: number;
  readonly server_errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
  readonly estimated_requests: number;
  readonly unpriced_requests: number;
  readonly latency_ms: Percentiles;
  readonly first_byte_ms: Percentiles;
}

/** One step of a series, by its first moment. */
export interface Point extends Figures {
  readonly start: number;
}

const NONE: Omit<StepSum, "start"> = {
  requests: 0,
  input_tokens: 0,
  output_tokens: 0,
  priced: 0,
  cost_nano_usd: 0,
  estimated_requests: 0,
  unpriced_requests: 0,
  client_errors: 0,
  server_errors: 0,
};

/** Every step of the period, those without a request too, and all of them together. */
export async function readSeries(
  query: Query,
  period: SteppedPeriod,
): Promise<{ totals: Figures; series: readonly Point[] }> {
  const sums = await stepSums(query, period);
  const latencies = await latencyCounts(query, period, "step");
  const sumAt = new Map(sums.map((sum) => [sum.start, sum]));
  const latenciesAt = Map.groupBy(latencies, ({ start }) => start);
  const points = (period.to - period.from) / STEPS_MS[period.step];
  const series = Array.from({ length: points }, (_, number) => {
    const start = period.from + number * STEPS_MS[period.step];
    return { start, ...figuresOf(sumAt.get(start) ?? NONE, latenciesAt.get(start) ?? []) };
  });
  return { totals: figuresOf(sums.reduce(plus, NONE), together(latencies)), series };
}

/** A period as a whole. */
export async function readTotals(query: Query, period: SteppedPeriod): Promise<Figures> {
  const sums = await stepSums(query, period);
  return figuresOf(sums.reduce(plus, NONE), await latencyCounts(query, period, "period"));
}

/** Of all steps, in rising order of bounds. */
function together(latencies: readonly LatencyCount[]): LatencyCount[] {
  const byBound = Map.groupBy(latencies, ({ bound }) => bound);
  const added = [...byBound.values()].flatMap((counts) =>
    counts.slice(0, 1).map((first) => ({
      ...first,
      requests: counts.reduce((sum, { requests }) => sum + requests, 0),
      first_bytes: counts.reduce((sum, { first_bytes }) => sum + first_bytes, 0),
    })),
  );
  return added.sort((one, other) => one.bound - other.bound);
}

function plus(one: Omit<StepSum, "start">, other: StepSum): Omit<StepSum, "start"> {
  return {
    requests: one.requests + other.requests,
    input_tokens: one.input_tokens + other.input_tokens,
    output_tokens: one.output_tokens + other.output_tokens,
    priced: one.priced + other.priced,
    cost_nano_usd: one.cost_nano_usd + other.cost_nano_usd,
    estimated_requests: one.estimated_requests + other.estimated_requests,
    unpriced_requests: one.unpriced_requests + other.unpriced_requests,
    client_errors: one.client_errors + other.client_errors,
    server_errors: one.server_errors + other.server_errors,
  };
}

function figuresOf(sum: Omit<StepSum, "start">, latencies: readonly LatencyCount[]): Figures {
  return {
    requests: sum.requests,
    errors: sum.client_errors + sum.server_errors,
    client_errors: sum.client_errors,
    server_errors: sum.server_errors,
    input_tokens: sum.input_tokens,
    output_tokens: sum.output_tokens,
    cost_usd: sum.priced > 0 ? sum.cost_nano_usd / 1e9 : null,
    estimated_requests: sum.estimated_requests,
    unpriced_requests: sum.unpriced_requests,
    latency_ms: percentilesOf(latencies.map(({ bound, requests }) => ({ bound, count: requests }))),
    first_byte_ms: percentilesOf(latencies.map(({ bound, first_bytes }) => ({ bound, count: first_bytes }))),
  };
}
