import { expect, test } from "vitest";
import { createLimiterMemory, PrincipalLimiter } from "#gates/ratelimit/index.ts";
import type { TokenUsage } from "./token-usage.ts";
import { UsageHold } from "./usage-hold.ts";

const NOW = Date.UTC(2026, 0, 1);
const NANO_USD = 1000;
const MICRODOLLAR = { spend_usd_per_month: NANO_USD / 1e9 };

/** Holds on one principal that may spend a thousand nano-dollars, at these prices. */
function holding(cost: (usage: TokenUsage) => number | null) {
  const memory = createLimiterMemory({ principals: 1, threads: 1 });
  const limiter = new PrincipalLimiter({ memory, thread: 0 });
  return () => {
    const admission = limiter.begin(0, MICRODOLLAR, NOW);
    if (admission === undefined) throw new Error("nothing is limited");
    return new UsageHold({ admission, reserve: { input: 10, output: 20 }, cost }, NOW);
  };
}

test.each([
  ["written to a cache for an hour", (usage: TokenUsage) => usage.parts.cacheWriteHour === 10],
  ["sound", ({ parts }: TokenUsage) => parts.inputAudio === 10 && parts.outputAudio === 20],
  ["plain text", ({ parts }: TokenUsage) => parts.cacheWrite === 0 && parts.inputAudio === 0],
])("[I14] what is set aside is priced at the dearest, here where the input is %s", (_, isDear) => {
  const hold = holding((usage) => (isDear(usage) ? NANO_USD : usage.parts.cacheWrite > 0 ? null : 1));
  hold();
  expect(hold).toThrow("Requests that are running may use up the key's spend of this month.");
});

test("[I14] what was never sent has cost nothing", () => {
  const hold = holding(() => NANO_USD);
  for (let asked = 0; asked < 3; asked++) hold().settle(undefined, "internal");
});

test("[I14] a cost beyond all bounds blurs no sum", () => {
  const costs = [1, 1e17, NANO_USD - 1, 1];
  let asked = 0;
  const hold = holding(() => costs[Math.floor(asked++ / 3)] ?? 0);
  hold();
  hold().settle(undefined, undefined);
  expect(hold).not.toThrow();
  expect(hold).toThrow("running");
});
