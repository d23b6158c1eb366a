import type { Turns } from "./measure.ts";

/** One thing that the benchmark measures. */
export interface Part {
  /** As `--only` names it. */
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<PartReport>;
}

/** What a part works with. */
export interface Bench {
  /** Takes what the programs write; removed at the end. */
  readonly directory: string;
  /** The server as it is shipped: the file to run. */
  readonly program: string;
  readonly plan: Plan;
}

/** How much is measured. */
export interface Plan {
  readonly turns: Turns;
  /** For the slowest hundredth of so few requests that in `turns` a dozen of them would decide. */
  readonly longTurns: Turns;
  /** Chunks of a stream whose cost is measured. */
  readonly chunks: number;
  /** How many streams are held at once, and for how many seconds: one chunk each a second. */
  readonly live: { readonly streams: number; readonly seconds: number };
  /** Starts of each kind, and how long a server idles before its memory is read. */
  readonly rest: { readonly starts: number; readonly idleMs: number };
  /** How many keys are many, starts with them and with one, and how long each idles before its memory is read. */
  readonly keys: { readonly count: number; readonly starts: number; readonly idleMs: number };
  /** Over how many secrets the server key is changed, from few to many. */
  readonly secrets: readonly number[];
  /** How many request rows are looked through, and how often each query is asked. */
  readonly overview: { readonly rows: number; readonly times: number };
}

/** Markdown, and how the aims are met. */
export interface PartReport {
  readonly body: string;
  readonly aims: readonly Aim[];
}

export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly value: string;
  readonly met: boolean;
}

export const FULL: Plan = {
  turns: { rounds: 9, durationMs: 2_000, warmUpMs: 5_000 },
  longTurns: { rounds: 5, durationMs: 6_000, warmUpMs: 5_000 },
  chunks: 200,
  live: { streams: 5_000, seconds: 20 },
  rest: { starts: 9, idleMs: 5_000 },
  keys: { count: 1_000_000, starts: 3, idleMs: 2_000 },
  secrets: [1, 1_000, 100_000],
  overview: { rows: 10_000_000, times: 50 },
};

/** Only tries whether it works. */
export const QUICK: Plan = {
  turns: { rounds: 1, durationMs: 400, warmUpMs: 200 },
  longTurns: { rounds: 1, durationMs: 400, warmUpMs: 200 },
  chunks: 50,
  live: { streams: 200, seconds: 5 },
  rest: { starts: 1, idleMs: 1_000 },
  keys: { count: 10_000, starts: 1, idleMs: 500 },
  secrets: [1, 100],
  overview: { rows: 20_000, times: 3 },
};
