import { test } from "vitest";
import { runInterleavings } from "../seal/interleavings.ts";

const STORES = 40;
const ROUNDS = 50;
/** Other stores, to look further: each run of a seed is much like the one before. */
const FIRST = Number(process.env.CLAVIGER_TEST_SEED ?? 1000);

test.each(Array.from({ length: STORES }, (_, at) => FIRST + at))(
  "[S10] changes of the key, edits, locks and restarts at once lose no secret, in fifty rounds (seed %i)",
  { timeout: 600_000 },
  (seed) => runInterleavings(seed, ROUNDS),
);
