import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { systemRandom } from "#platform/lib/random.ts";
import { ReserveFile } from "./reserve-file.ts";

const MIB = 1024 * 1024;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "claviger-reserve-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const reserveOf = (wantedBytes: number) =>
  new ReserveFile({ path: join(directory, "reserve"), wantedBytes, random: systemRandom });

test("it takes real blocks that only the server's user can read, gives them step by step, and takes them anew", async () => {
  const reserve = reserveOf(2 * MIB + 1);
  expect([reserve.heldBytes, reserve.give()]).toEqual([0, false]);
  await reserve.refill();
  const { size, blocks, mode } = statSync(reserve.path);
  expect([size, mode & 0o777]).toEqual([2 * MIB + 1, 0o600]);
  expect(blocks * 512).toBeGreaterThanOrEqual(size);
  const held = [reserve.give(), reserve.heldBytes, reserve.give(), reserve.heldBytes];
  expect(held).toEqual([true, MIB + 1, true, 1]);
  expect([reserve.give(), reserve.heldBytes, reserve.give()]).toEqual([true, 0, false]);
  await reserve.refill();
  expect(reserve.heldBytes).toBe(2 * MIB + 1);
});

test("one that is wanted smaller is cut, and one that is not wanted is removed", async () => {
  await reserveOf(MIB).refill();
  const smaller = reserveOf(1000);
  await smaller.refill();
  expect(smaller.heldBytes).toBe(1000);
  const none = reserveOf(0);
  await none.refill();
  expect(statSync(none.path, { throwIfNoEntry: false })).toBeUndefined();
});
