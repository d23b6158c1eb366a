import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { SCENARIOS } from "../scenarios.ts";
import { Stage } from "../strike.ts";
import type { Fault, Step } from "../trace.ts";

const FAULTS: readonly Fault[] = ["kill", "ENOSPC", "EIO"];
/** How many strikes of each scenario there are, drawn by CLAVIGER_CRASH_SEED; one of each kind at every step unless given. */
const LIMIT = Number(process.env.CLAVIGER_CRASH_STRIKES ?? Number.POSITIVE_INFINITY);
const SEED = Number(process.env.CLAVIGER_CRASH_SEED ?? 1);

/** What goes on behind a change may take its steps before another as after it, and some then never come. */
const MOST_MISSED = 0.2;
const TRIES = 3;

interface Strike {
  readonly step: Step;
  readonly fault: Fault;
}

for (const name of Object.keys(SCENARIOS)) {
  test(`[S13] ${name}: a kill, a full disk and a failing one at any step lose no secret`, {
    timeout: 1_500_000,
  }, async () => {
    using stage = new Stage(name);
    const steps = withoutMiddles(await stage.prepare());
    const strikes = drawn(FAULTS.flatMap((fault) => steps.map((step) => ({ step, fault }))));
    let missed = 0;
    const failures = await together(strikes, async ({ step, fault }) => {
      for (let tries = 0; tries < TRIES; tries += 1) if (await stage.strike(step, fault)) return;
      missed += 1;
    });
    expect(failures.slice(0, 5), `${failures.length} of ${strikes.length} strikes`).toEqual([]);
    expect(missed, `missed of ${strikes.length} strikes`).toBeLessThanOrEqual(
      Math.ceil(strikes.length * MOST_MISSED),
    );
  });
}

/**
 * Of a run of the same call on the same file, with nothing in between, its ends and two in its middle: a crash within
 * it leaves more or less of one and the same unfinished transaction.
 */
function withoutMiddles(steps: readonly Step[]): readonly Step[] {
  const runs: Step[][] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last?.[0]?.call === step.call && last[0].path === step.path) last.push(step);
    else runs.push([step]);
  }
  const third = (run: readonly Step[], part: number) => Math.floor((run.length * part) / 3);
  return runs.flatMap((run) => {
    const kept = [0, 1, third(run, 1), third(run, 2), run.length - 2, run.length - 1];
    return run.filter((_, at) => kept.includes(at));
  });
}

function drawn(strikes: readonly Strike[]): readonly Strike[] {
  const random = seededRandom(SEED);
  const ranked = strikes.map((strike) => ({ strike, rank: random.bytes(4).readUInt32BE() }));
  return ranked
    .toSorted((one, other) => one.rank - other.rank)
    .slice(0, LIMIT)
    .map(({ strike }) => strike);
}

/** Works off all, as many at a time as the machine has cores, and gives what was thrown. */
async function together<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<string[]> {
  const failures: string[] = [];
  const waiting = [...all];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await work(next).catch((error: unknown) => failures.push(String(error)));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return failures;
}
