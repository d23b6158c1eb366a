import { test } from "vitest";
import { runInterleavings } from "./interleavings.ts";

test.each([
  1, 2, 3,
])("[S10] changes of the key, edits, locks and restarts at once lose no secret (seed %i)", (seed) =>
  runInterleavings(seed, 10));
