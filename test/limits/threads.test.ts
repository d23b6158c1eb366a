import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { createLimiterMemory, type KeyLimits, PrincipalLimiter } from "#gates/ratelimit/index.ts";
import type { ThreadResult, ThreadWork } from "./limiter-thread.ts";

const THREADS = 4;
const SLOT = 5;
const NOW_MS = Date.UTC(2026, 0, 15, 12);
const MODULE = new URL("./limiter-thread.ts", import.meta.url);

/** Lets threads hammer one principal of these limits; gives what passed, and the limiter of the main thread. */
async function hammered(limits: KeyLimits, rounds = 40_000) {
  const memory = createLimiterMemory({ principals: 16, threads: THREADS + 1 });
  const counts = new SharedArrayBuffer(8);
  const workers = Array.from({ length: THREADS }, (_, at) => {
    const work: ThreadWork = { memory, thread: at + 1, limits, slot: SLOT, rounds, nowMs: NOW_MS, counts };
    return new Worker(MODULE, { workerData: work });
  });
  const results = await Promise.all(workers.map(resultOf));
  const sum = (of: (result: ThreadResult) => number) => results.reduce((total, one) => total + of(one), 0);
  const limiter = new PrincipalLimiter({ memory, thread: 0 });
  return {
    begun: sum(({ begun }) => begun),
    reserved: sum(({ reserved }) => reserved),
    settled: sum(({ settled }) => settled),
    atOnce: new Int32Array(counts)[1],
    limiter,
  };
}

async function resultOf(worker: Worker): Promise<ThreadResult> {
  const [result]: ThreadResult[] = await once(worker, "message");
  if (result === undefined) throw new Error("a thread told nothing");
  return result;
}

test("[I14] four threads together begin exactly as many requests as the bucket holds", async () => {
  const { begun } = await hammered({ requests_per_minute: 10_007 });
  expect(begun).toBe(10_007);
});

test("[I14] four threads together never have more running than may, and none afterwards", async () => {
  const { atOnce, limiter } = await hammered({ concurrency: 4 });
  expect(atOnce).toBe(4);
  const running = Array.from({ length: 5 }, () => limiter.begin(SLOT, { concurrency: 4 }, NOW_MS));
  expect(running.map((admission) => admission?.refusal?.code)).toEqual([
    ...Array.from({ length: 4 }),
    "rate_limited",
  ]);
});

test("[I14] four threads together settle at most a reserve beyond the ceiling, and to the last token", async () => {
  const limits = { tokens_per_day: 1_000_000 };
  const { settled, limiter } = await hammered(limits);
  expect(settled).toBeGreaterThanOrEqual(1_000_000);
  expect(settled).toBeLessThan(1_000_000 + 255);
  // By what is left of a ceiling that is one token higher than what they say was used.
  const ask = (tokensPerDay: number) => {
    const admission = limiter.begin(SLOT, { tokens_per_day: tokensPerDay }, NOW_MS);
    const refusal = admission?.reserve({ tokens: 0, nanoUsd: 0 }, NOW_MS);
    admission?.release();
    return refusal?.code;
  };
  expect([ask(settled), ask(settled + 1)]).toEqual(["quota_exhausted", undefined]);
});

test("[I14] what four threads took of a bucket of tokens and gave back adds up", async () => {
  const limits = { tokens_per_minute: 100_000_000_000 };
  const { settled, limiter } = await hammered(limits);
  expect(limiter.begin(SLOT, limits, NOW_MS)?.left.tokens?.remaining).toBe(100_000_000_000 - settled);
});
