import type { Unit } from "#lib/units.ts";
import type { Figures, Point } from "./api/read-overview.ts";

interface Series {
  readonly name: string;
  readonly color: string;
  readonly of: (figures: Figures) => number | null;
  /** Lines that differ by more than their colour. */
  readonly dashes?: string;
}

/** One chart: what it is of, and what of each step is in it. Bars are stacked, lines are not. */
export interface ChartKind {
  readonly title: string;
  readonly shape: "bars" | "lines";
  readonly unit: Unit;
  readonly series: readonly Series[];
  /** What is said in place of an empty chart. */
  readonly none: string;
}

export const CHARTS: readonly ChartKind[] = [
  {
    title: "Requests",
    shape: "bars",
    unit: "count",
    series: [
      { name: "answered", color: "keeper.6", of: ({ requests, errors }) => requests - errors },
      { name: "4xx", color: "orange.6", of: ({ client_errors }) => client_errors },
      { name: "5xx", color: "red.8", of: ({ server_errors }) => server_errors },
    ],
    none: "No request in this time.",
  },
  {
    title: "Tokens",
    shape: "bars",
    unit: "tokens",
    series: [
      { name: "input", color: "indigo.5", of: ({ input_tokens }) => input_tokens },
      { name: "output", color: "grape.5", of: ({ output_tokens }) => output_tokens },
    ],
    none: "No token was used in this time, or none was told of.",
  },
  {
    title: "Cost",
    shape: "bars",
    unit: "usd",
    series: [{ name: "US dollars", color: "green.7", of: ({ cost_usd }) => cost_usd }],
    none: "Nothing was spent that is known: what has no price is not counted. The setting prices says what a model costs.",
  },
  {
    title: "Time to the end of the answer",
    shape: "lines",
    unit: "ms",
    series: [
      { name: "median", color: "keeper.6", of: ({ latency_ms }) => latency_ms.p50 },
      { name: "95 of 100", color: "orange.6", of: ({ latency_ms }) => latency_ms.p95, dashes: "6 3" },
      { name: "99 of 100", color: "red.8", of: ({ latency_ms }) => latency_ms.p99, dashes: "2 3" },
    ],
    none: "No answer came to an end in this time.",
  },
];

/** What is drawn: a row for each step. */
export function drawnRows(
  { series }: ChartKind,
  points: readonly Point[],
): Record<string, string | number | null>[] {
  return points.map((point) => ({
    time: point.time,
    ...Object.fromEntries(series.map(({ name, of }) => [name, of(point)])),
  }));
}

/** Whether there is nothing to draw: no bar, or no point of a line. */
export function isEmpty({ series, shape }: ChartKind, points: readonly Point[]): boolean {
  const nothing = shape === "bars" ? 0 : null;
  return points.every((point) => series.every(({ of }) => (of(point) ?? nothing) === nothing));
}
