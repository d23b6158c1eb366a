import fc from "fast-check";
import { expect, test } from "vitest";
import type { KeyLimits } from "./key-limits.ts";
import { createLimiterMemory, recordStart } from "./limiter-memory.ts";
import { PrincipalLimiter } from "./principal-limiter.ts";

const SLOT = 3;
const NOON = Date.UTC(2026, 1, 28, 12);
const HOUR = 3_600_000;
const DOLLAR = 1_000_000_000;

/** Limiters of two threads on one memory, and a principal of these limits. */
function limited(limits: KeyLimits) {
  const memory = createLimiterMemory({ principals: 8, threads: 2 });
  const limiters = [0, 1].map((thread) => new PrincipalLimiter({ memory, thread }));
  const of = (thread: number) => limiters[thread % 2] ?? new PrincipalLimiter({ memory, thread });
  const begin = (nowMs = NOON, thread = 0) => {
    const admission = of(thread).begin(SLOT, limits, nowMs);
    if (admission === undefined) throw new Error("nothing is limited");
    return admission;
  };
  /** One request that may use so much. */
  const ask = (tokens: number, nowMs = NOON, { nanoUsd = 0, thread = 0 } = {}) => {
    const admission = begin(nowMs, thread);
    const refusal = admission.refusal ?? admission.reserve({ tokens, nanoUsd }, nowMs);
    return { ...admission, admission, refusal };
  };
  /** Code and seconds of the refusal, where there is one. */
  const verdict = (tokens: number, nowMs = NOON, more = {}) => {
    const { admission, refusal } = ask(tokens, nowMs, more);
    admission.settle({ tokens: 0, nanoUsd: 0 });
    admission.release();
    return refusal === undefined ? "passes" : [refusal.code, refusal.retryAfterS];
  };
  const words = new Int32Array(memory.buffer);
  return { of, begin, ask, verdict, lockOf: (slot: number) => recordStart(memory, slot) * 2, words };
}

test("[I14] a principal without limits touches nothing", () => {
  expect(limited({}).of(0).begin(SLOT, {}, NOON)).toBeUndefined();
});

test("[I14] a slot beyond the memory fails, and is not let in", () => {
  expect(() => limited({}).of(0).begin(8, { concurrency: 1 }, NOON)).toThrow(RangeError);
});

test("[I14] tokens a minute: begins while one is left, takes the whole reserve, gets back what was not used", () => {
  const { ask, verdict } = limited({ tokens_per_minute: 600, requests_per_minute: 60 });
  const { admission } = ask(1000);
  expect(admission.left.tokens).toEqual({ limit: 600, remaining: 0, fullInMs: 100_000 });
  // 400 below nothing and one token on: ten a second.
  expect(verdict(1)).toEqual(["rate_limited", 41]);
  admission.settle({ tokens: 550, nanoUsd: 0 });
  admission.settle({ tokens: 0, nanoUsd: 0 });
  const next = ask(1);
  expect(next.admission.left).toEqual({
    requests: { limit: 60, remaining: 58, fullInMs: 2000 },
    tokens: { limit: 600, remaining: 49, fullInMs: 55_100 },
  });
});

test("[I14] giving back never fills a bucket above its size", () => {
  const { ask } = limited({ tokens_per_minute: 600 });
  const { admission } = ask(300);
  expect(ask(1, NOON + 60_000).admission.left.tokens?.remaining).toBe(599);
  admission.settle({ tokens: 0, nanoUsd: 0 });
  expect(ask(1, NOON + 60_000).admission.left.tokens?.remaining).toBe(599);
});

test("[I14] no one is told to wait longer than a minute", () => {
  const { ask, verdict } = limited({ tokens_per_minute: 1 });
  ask(100_000);
  expect(verdict(1)).toEqual(["rate_limited", 60]);
});

test("[I14] what another limit refuses takes nothing from any", () => {
  const { of, ask, begin } = limited({
    requests_per_minute: 10,
    concurrency: 5,
    tokens_per_minute: 100,
    tokens_per_day: 1000,
  });
  of(0).seed(SLOT, { dayTokens: 1000, monthNanoUsd: 0 }, NOON);
  for (let refused = 0; refused < 20; refused++) {
    const { admission, refusal } = ask(50);
    expect(refusal?.code).toBe("quota_exhausted");
    admission.release();
  }
  expect(begin().left).toMatchObject({ requests: { remaining: 9 }, tokens: { remaining: 100 } });
});

test("[I14] tokens a day: what runs holds its reserve, the rest is used, and midnight UTC begins anew", () => {
  const { ask, verdict } = limited({ tokens_per_day: 1000 });
  const first = ask(900);
  const second = ask(900, NOON, { thread: 1 });
  expect(second.refusal).toBeUndefined();
  expect(verdict(1)).toEqual(["rate_limited", 1]);
  first.admission.settle({ tokens: 700, nanoUsd: 0 });
  second.admission.settle({ tokens: 250, nanoUsd: 0 });
  const third = ask(200);
  expect(third.refusal).toBeUndefined();
  third.admission.settle({ tokens: 50, nanoUsd: 0 });
  expect(verdict(1)).toEqual(["quota_exhausted", 60]);
  const midnight = Date.UTC(2026, 2, 1);
  expect(ask(1, midnight - 1000).refusal).toMatchObject({
    message: "The key has used its 1000 tokens of this day; the next begins at 2026-03-01T00:00:00.000Z.",
    retryAfterS: 1,
  });
  expect(verdict(1, midnight)).toBe("passes");
});

test("[I14] spend a month: whole nano-dollars, and the first of the month begins anew", () => {
  const { of, ask, verdict } = limited({ spend_usd_per_month: 0.000_000_003 });
  of(0).seed(SLOT, { dayTokens: 5, monthNanoUsd: 1 }, NOON);
  ask(1, NOON, { nanoUsd: 1 }).admission.settle({ tokens: 1, nanoUsd: 1 });
  expect(verdict(1)).toBe("passes");
  const { admission } = ask(1, NOON, { nanoUsd: 5 });
  expect(verdict(1)).toEqual(["rate_limited", 1]);
  admission.settle({ tokens: 1, nanoUsd: 1 });
  expect(ask(1).refusal).toMatchObject({
    code: "quota_exhausted",
    message:
      "The key has spent its 3e-9 US dollars of this month; the next begins at 2026-03-01T00:00:00.000Z.",
  });
  expect(verdict(1, Date.UTC(2026, 2, 1))).toBe("passes");
});

test("[I14] what was set aside before midnight counts to its own day, and is not set aside in the next", () => {
  const { ask, verdict } = limited({ tokens_per_day: 100 });
  const midnight = Date.UTC(2026, 2, 1);
  const { admission } = ask(1000, midnight - 1);
  const after = ask(60, midnight);
  expect(after.refusal).toBeUndefined();
  admission.settle({ tokens: 1000, nanoUsd: 0 });
  expect(verdict(1, midnight)).toBe("passes");
  after.admission.settle({ tokens: 60, nanoUsd: 0 });
  ask(40, midnight).admission.settle({ tokens: 40, nanoUsd: 0 });
  expect(verdict(1, midnight)).toEqual(["quota_exhausted", 60]);
});

test("[I14] a thread a little behind at midnight, or a clock set back by a day, opens no used window again", () => {
  const { ask, verdict } = limited({ tokens_per_day: 100 });
  const midnight = Date.UTC(2026, 2, 1);
  ask(100, midnight).admission.settle({ tokens: 100, nanoUsd: 0 });
  for (const nowMs of [midnight - 2, midnight + 1, midnight - 20 * HOUR, midnight - 1])
    expect(verdict(1, nowMs)).toEqual(["quota_exhausted", expect.any(Number)]);
});

test("[I14] a request that is over twice gives back one place", () => {
  const { begin } = limited({ concurrency: 2 });
  const [first] = [begin(), begin()];
  first.release();
  first.release();
  expect([begin().refusal, begin().refusal?.retryAfterS]).toEqual([undefined, 1]);
});

test("[I14] a request that is over without a settlement counts whole, until its settlement comes after all", () => {
  const { ask, verdict } = limited({ tokens_per_day: 100, concurrency: 1 });
  const { admission } = ask(100);
  admission.release();
  admission.release();
  expect(verdict(1)).toEqual(["quota_exhausted", 60]);
  admission.settle({ tokens: 99, nanoUsd: 0 });
  admission.settle({ tokens: 0, nanoUsd: 0 });
  const last = ask(50);
  expect(last.refusal).toBeUndefined();
  last.admission.settle({ tokens: 1, nanoUsd: 0 });
  last.admission.release();
  expect(verdict(1)).toEqual(["quota_exhausted", 60]);
});

test("[I14] of a thread that is no more nothing runs, and its reserves count whole; another's stay as they are", () => {
  const { of, ask, begin } = limited({ tokens_per_day: 100, spend_usd_per_month: 1, concurrency: 2 });
  ask(60, NOON, { nanoUsd: DOLLAR / 2, thread: 1 });
  const own = ask(10);
  expect(begin().refusal?.code).toBe("rate_limited");
  of(0).forget(1);
  const next = ask(29, NOON, { nanoUsd: DOLLAR / 2 });
  expect(next.refusal).toBeUndefined();
  expect(begin().refusal?.code).toBe("rate_limited");
  next.admission.release();
  expect(ask(1).refusal?.message).toContain("spent its 1 US dollars");
  own.admission.settle({ tokens: 11, nanoUsd: 0 });
  own.admission.release();
  expect(ask(1).refusal?.message).toContain("used its 100 tokens");
});

test("[I14] the lock of a thread that died within is freed when that is told, and otherwise after a while", () => {
  const { of, begin, lockOf, words } = limited({ concurrency: 3 });
  begin();
  const held = (slot: number, thread: number) => {
    words[lockOf(slot)] = thread + 1;
  };
  const started = performance.now();
  held(SLOT, 1);
  of(0).forget(1);
  expect(begin().refusal).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(1000);
  held(SLOT, 1);
  expect(begin().refusal).toBeUndefined();
  expect(begin().refusal).toBeDefined();
  expect(words[lockOf(SLOT)]).toBe(0);
});

const steps = fc.array(
  fc.record({
    thread: fc.nat({ max: 1 }),
    what: fc.constantFrom("ask", "ask", "settle", "release", "pass"),
    most: fc.nat({ max: 400 }),
    share: fc.nat({ max: 100 }),
    which: fc.nat({ max: 20 }),
  }),
  { maxLength: 60 },
);

test("[I14] whatever the order, the settled total exceeds the ceiling by less than one reserve, and nothing stays set aside", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1500 }), steps, (ceiling, all) => {
      const { ask } = limited({ tokens_per_day: ceiling });
      const running: { most: number; admission: ReturnType<typeof ask>["admission"] }[] = [];
      let total = 0;
      const settle = (which: number, share: number) => {
        const [one] = running.splice(which % Math.max(1, running.length), 1);
        const used = Math.floor(((one?.most ?? 0) * share) / 100);
        if (one === undefined) return;
        one.admission.settle({ tokens: used, nanoUsd: 0 });
        one.admission.release();
        total += used;
      };
      for (const { thread, what, most, share, which } of all) {
        if (what === "settle") settle(which, share);
        if (what === "release") running[which]?.admission.release();
        if (what !== "ask") continue;
        const { admission, refusal } = ask(most, NOON, { thread });
        const held = running.reduce((sum, one) => sum + one.most, 0);
        expect(refusal === undefined).toBe(total + held < ceiling);
        if (refusal === undefined) running.push({ most, admission });
        else admission.release();
      }
      while (running.length > 0) settle(0, 100);
      expect(total).toBeLessThan(ceiling + 400);
      expect(ask(1).refusal === undefined).toBe(total < ceiling);
    }),
    { numRuns: 300 },
  );
});
