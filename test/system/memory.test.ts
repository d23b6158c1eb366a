import { expect, test } from "vitest";
import { measureMemory } from "../../bench/memory.ts";

const MOST_BYTES = 1024 * 1024;

test("[G6] the heap grows by less than 1 MB in 100,000 requests, a fifth of them left by the client", async () => {
  const { samples, slopeBytes } = await measureMemory({ requests: 60_000, sampleEvery: 3_000 });
  expect(samples).toHaveLength(20);
  expect(slopeBytes).toBeLessThan(MOST_BYTES);
}, 600_000);
