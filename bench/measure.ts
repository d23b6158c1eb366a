import { median } from "./median.ts";

/** What one contender did in one round of one workload: each figure by its name. */
export interface Measure {
  readonly workload: string;
  readonly contender: string;
  readonly figures: Figures;
}

export type Figures = Readonly<Record<string, number>>;

/** How often and how long: `warmUpMs` once for each contender, then the rounds. */
export interface Turns {
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
}

/** Lets the contenders take turns, so that a slow moment of the machine meets all of them. */
export async function inTurns<Named extends { readonly name: string }>(
  workload: string,
  { turns, contenders }: { turns: Turns; contenders: readonly Named[] },
  measure: (contender: Named, durationMs: number) => Promise<Figures>,
): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (const contender of contenders) await measure(contender, turns.warmUpMs);
  for (let round = 1; round <= turns.rounds; round += 1) {
    console.error(`${workload}, round ${round} of ${turns.rounds}`);
    for (const contender of contenders)
      measures.push({
        workload,
        contender: contender.name,
        figures: await measure(contender, turns.durationMs),
      });
  }
  return measures;
}

/** A figure of one contender: the median over the rounds. NaN when it was not measured. */
export function medianOf(measures: readonly Measure[], contender: string, figure: string): number {
  return median(valuesOf(measures, contender, figure));
}

/** One contender's figure over another's, taken within each round, then the median. */
export function ratioOf(
  measures: readonly Measure[],
  figure: string,
  [own, reference]: readonly [string, string],
): number {
  return betweenRounds(measures, figure, [own, reference], (value, base) => value / base);
}

/** One contender's figure less another's, taken within each round, then the median. */
export function differenceOf(
  measures: readonly Measure[],
  figure: string,
  [own, reference]: readonly [string, string],
): number {
  return betweenRounds(measures, figure, [own, reference], (value, base) => value - base);
}

function betweenRounds(
  measures: readonly Measure[],
  figure: string,
  [own, reference]: readonly [string, string],
  compare: (value: number, base: number) => number,
): number {
  const bases = valuesOf(measures, reference, figure);
  const values = valuesOf(measures, own, figure);
  return median(
    values.flatMap((value, round) => bases.slice(round, round + 1).map((base) => compare(value, base))),
  );
}

function valuesOf(measures: readonly Measure[], contender: string, figure: string): number[] {
  return measures
    .filter((measure) => measure.contender === contender)
    .map(({ figures }) => figures[figure] ?? Number.NaN);
}
