/** One thread of those that share the memory of the limits: makes requests as fast as it can, and tells what passed. */
import { parentPort, workerData } from "node:worker_threads";
import { type KeyLimits, type LimiterMemory, PrincipalLimiter } from "#gates/ratelimit/index.ts";
import { seededRandom } from "#test/seeded-random.ts";

export interface ThreadWork {
  readonly memory: LimiterMemory;
  readonly thread: number;
  readonly limits: KeyLimits;
  readonly slot: number;
  /** How many requests it makes, and when, in milliseconds, a few of them earlier or later. */
  readonly rounds: number;
  readonly nowMs: number;
  /** Int32: how many run by the threads' own count, and the most there ever were. */
  readonly counts: SharedArrayBuffer;
}

export interface ThreadResult {
  readonly begun: number;
  readonly reserved: number;
  readonly settled: number;
}

const MOST_OPEN = 3;

if (parentPort !== null) parentPort.postMessage(hammer(workerData));

function hammer(work: ThreadWork): ThreadResult {
  const limiter = new PrincipalLimiter(work);
  const counts = new Int32Array(work.counts);
  const random = seededRandom(work.thread + 1);
  const open: { end: () => void }[] = [];
  const result = { begun: 0, reserved: 0, settled: 0 };
  for (let round = 0; round < work.rounds; round++) {
    const [late = 0, most = 0, used = 0] = random.bytes(3);
    const admission = limiter.begin(work.slot, work.limits, work.nowMs - (late % 3));
    if (admission?.refusal === undefined && admission !== undefined) {
      const running = Atomics.add(counts, 0, 1) + 1;
      for (let seen = Atomics.load(counts, 1); seen < running; seen = Atomics.load(counts, 1))
        Atomics.compareExchange(counts, 1, seen, running);
      const refused = admission.reserve({ tokens: most, nanoUsd: most }, work.nowMs - (late % 3));
      const actual = Math.min(most, used);
      if (refused === undefined)
        Object.assign(result, { reserved: result.reserved + 1, begun: result.begun + 1 });
      open.push({
        end: () => {
          if (refused === undefined) admission.settle({ tokens: actual, nanoUsd: actual });
          if (refused === undefined) result.settled += actual;
          Atomics.sub(counts, 0, 1);
          admission.release();
        },
      });
    }
    if (open.length > late % MOST_OPEN) open.shift()?.end();
  }
  for (const { end } of open) end();
  return result;
}
