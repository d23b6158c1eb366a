import { differenceOf, type Measure, medianOf, ratioOf } from "./measure.ts";

/** A figure as a column, and the columns after it that compare it with another contender's. */
export interface Column {
  readonly title: string;
  readonly figure: string;
  readonly show: (value: number) => string;
  /** Ratios to these, each its own column `of NAME`. */
  readonly of?: readonly string[];
  /** The difference to this one, a column `added`. */
  readonly addedTo?: string;
}

/** A Markdown table, one row a workload and contender: medians over the rounds, comparisons taken round by round. */
export function renderMeasures(measures: readonly Measure[], columns: readonly Column[]): string {
  const titles = columns.flatMap(({ title, of = [], addedTo }) => [
    title,
    ...of.map((name) => `of ${name}`),
    ...(addedTo === undefined ? [] : ["added"]),
  ]);
  const rows = distinct(measures.map(({ workload }) => workload)).flatMap((workload) => {
    const inWorkload = measures.filter((measure) => measure.workload === workload);
    return distinct(inWorkload.map(({ contender }) => contender)).map((contender) => [
      workload,
      contender,
      ...columns.flatMap((column) => cellsOf(inWorkload, contender, column)),
    ]);
  });
  return renderRows(["workload", "by way of", ...titles], rows, 2);
}

/** A Markdown table whose first `names` columns are text, the others figures. */
export function renderRows(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  names = 1,
): string {
  const ruler = titles.map((_title, at) => (at < names ? "---" : "---:"));
  return [titles, ruler, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export const showCount = (value: number) => Math.round(value).toLocaleString("en");
export const showUs = (value: number) => `${value.toFixed(1)} µs`;
export const showMs = (value: number) => `${value.toFixed(2)} ms`;
export const showMib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
export const showKib = (bytes: number) => `${(bytes / 2 ** 10).toFixed(1)} KiB`;

function cellsOf(measures: readonly Measure[], contender: string, column: Column): string[] {
  const { figure, show, of = [], addedTo } = column;
  return [
    show(medianOf(measures, contender, figure)),
    ...of.map((reference) => ratioOf(measures, figure, [contender, reference]).toFixed(2)),
    ...(addedTo === undefined ? [] : [show(differenceOf(measures, figure, [contender, addedTo]))]),
  ];
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
