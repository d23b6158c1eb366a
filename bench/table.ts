/** What one contender did in one round of one workload. */
export interface Measure {
  readonly workload: string;
  readonly contender: string;
  readonly requestsPerSecond: number;
  readonly cpuUsPerRequest: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** A Markdown table, one row a workload and contender: medians over the rounds, ratios taken round by round. */
export function renderTable(measures: readonly Measure[], reference: string): string {
  const rows = [
    ["workload", "by way of", "requests/s", "of nginx", "CPU/request", "of nginx", "median", "p99"],
    ["---", "---", "---:", "---:", "---:", "---:", "---:", "---:"],
  ];
  for (const workload of distinct(measures.map((one) => one.workload))) {
    const inWorkload = measures.filter((one) => one.workload === workload);
    const base = inWorkload.filter((one) => one.contender === reference);
    for (const contender of distinct(inWorkload.map((one) => one.contender)))
      rows.push(
        rowOf(
          inWorkload.filter((one) => one.contender === contender),
          base,
        ),
      );
  }
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function rowOf(own: readonly Measure[], base: readonly Measure[]): string[] {
  const of = (pick: (measure: Measure) => number) => median(own.map(pick));
  const ratio = (pick: (measure: Measure) => number) =>
    median(own.flatMap((measure, round) => (base[round] ? [pick(measure) / pick(base[round])] : [])));
  const first = own[0];
  return [
    first?.workload ?? "",
    first?.contender ?? "",
    Math.round(of((one) => one.requestsPerSecond)).toLocaleString("en"),
    ratio((one) => one.requestsPerSecond).toFixed(2),
    `${of((one) => one.cpuUsPerRequest).toFixed(1)} µs`,
    ratio((one) => one.cpuUsPerRequest).toFixed(2),
    `${of((one) => one.medianMs).toFixed(2)} ms`,
    `${of((one) => one.p99Ms).toFixed(2)} ms`,
  ];
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const below = sorted[Math.floor(middle)] ?? Number.NaN;
  return (below + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
