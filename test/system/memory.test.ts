import { expect, test } from "vitest";
import { measureMemory } from "../../bench/memory.ts";

const MOST_BYTES = 1024 * 1024;
const PLAN = { warmUp: 12_000, requests: 48_000, sampleEvery: 4_800 };

test("[G6] what is kept grows by less than 1 MB in 100,000 requests, a fifth of them left by the client", async () => {
  const { samples, slopeBytes } = await measureMemory(PLAN);
  expect(samples).toHaveLength(11);
  expect(slopeBytes).toBeLessThan(MOST_BYTES);
  // Code comes and goes in steps that make no slope, but a function that is made for each request would show.
  const [first, last] = [samples.at(0), samples.at(-1)].map((sample) => sample?.code ?? Number.NaN);
  expect((last ?? Number.NaN) - (first ?? Number.NaN)).toBeLessThan(2 * MOST_BYTES);
}, 900_000);
