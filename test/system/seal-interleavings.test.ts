import { expect, test } from "vitest";
import { runInterleavings } from "../seal/interleavings.ts";

const STORES = 40;
const ROUNDS = 50;

test("[S10] changes of the key, edits, locks and restarts at once lose no secret, in thousands of rounds", async () => {
  const first = Number(process.env.CLAVIGER_TEST_SEED ?? 1000);
  expect(first).toBeGreaterThan(0);
  for (let seed = first; seed < first + STORES; seed++) await runInterleavings(seed, ROUNDS);
}, 1_800_000);
