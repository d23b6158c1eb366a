import { LATENCY_BOUNDS_MS } from "../sums/store.ts";

/** How many requests took at most `bound` milliseconds, and longer than the bound before it. */
export interface BoundCount {
  readonly bound: number;
  readonly count: number;
}

/** Milliseconds that 50, 95 and 99 of a hundred requests took at most; null where there was none. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/**
 * Percentiles of counts by bound, in rising order of bounds. Within a bound requests are taken to be spread evenly, so a
 * figure is off by less than the width of its bound: a bound is at most twice the one before it.
 */
export function percentilesOf(counts: readonly BoundCount[]): Percentiles {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const at = (share: number) => (total === 0 ? null : valueAt(counts, share * total));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function valueAt(counts: readonly BoundCount[], rank: number): number {
  let below = 0;
  let last = 0;
  for (const { bound, count } of counts) {
    if (count === 0) continue;
    const floor = LATENCY_BOUNDS_MS.findLast((each) => each < bound) ?? 0;
    last = bound;
    if (below + count >= rank) return rounded(floor + ((bound - floor) * (rank - below)) / count);
    below += count;
  }
  return last;
}

/** Three digits say all that is known. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}
