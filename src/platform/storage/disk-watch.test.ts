import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { FakeTimers } from "#test/fake-timers.ts";

import { type DiskStatus, DiskWatch } from "./disk-watch.ts";
import { ReserveFile } from "./reserve-file.ts";

const MIB = 1024 * 1024;
const LOW = 200 * MIB;
const WAIT = { timeout: 20_000 };
let directory: string;
let free: number;
let timers: FakeTimers;
let reserve: ReserveFile;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "claviger-watch-"));
  free = 1000 * MIB;
  timers = new FakeTimers();
  reserve = reserveOf(4 * MIB);
});
afterEach(() => rmSync(directory, { recursive: true }));

const reserveOf = (wantedBytes: number) =>
  new ReserveFile({ path: join(directory, "reserve"), wantedBytes, random: systemRandom });
const watchOf = () => new DiskWatch({ freeBytes: () => free, lowBytes: LOW, reserve, timers });

test("it is low below the bound, full below what the reserve is to hold, and well only with a tenth more", () => {
  using watch = watchOf();
  const seen: DiskStatus["state"][] = [];
  watch.start(({ state }) => void seen.push(state));
  const at = (bytes: number) => {
    free = bytes;
    timers.advance(2000);
    return [watch.state, watch.low.raised];
  };
  expect(at(LOW)).toEqual(["ok", false]);
  expect(at(LOW - 1)).toEqual(["low", true]);
  expect(at(4 * MIB - 1)).toEqual(["full", true]);
  expect(at(LOW + 1)).toEqual(["low", true]);
  expect(at(1.1 * LOW)).toEqual(["ok", false]);
  expect(at(LOW + 1)).toEqual(["ok", false]);
  expect(seen).toEqual(["low", "ok"]);
});

test("one that is low from the start is told of, and what cannot be asked is as it was", () => {
  free = 1;
  const freeBytes = vi.fn(() => free);
  using watch = new DiskWatch({ freeBytes, lowBytes: LOW, reserve, timers });
  const seen: DiskStatus[] = [];
  watch.start((status) => void seen.push(status));
  expect(seen).toEqual([{ state: "full", freeBytes: 1, lowBytes: LOW, reserveBytes: 0 }]);
  freeBytes.mockImplementation(() => {
    throw new Error("gone");
  });
  expect(watch.look()).toMatchObject({ state: "full", freeBytes: 1 });
});

test("a bound of 0 is never reached", () => {
  free = 0;
  using watch = new DiskWatch({ freeBytes: () => free, lowBytes: 0, reserve, timers });
  expect(watch.look().state).toBe("ok");
});

test("the reserve is made after a while, and anew once twice as much stays free beside it", async () => {
  using watch = watchOf();
  watch.start(() => {});
  expect(reserve.heldBytes).toBe(0);
  const filledAt = async (bytes: number, held: number) => {
    free = bytes;
    timers.advance(10_000);
    await vi.waitFor(() => expect(reserve.heldBytes).toBe(held), WAIT);
  };
  await filledAt(1000 * MIB, 4 * MIB);
  reserve.give();
  free = 9 * MIB - 1;
  timers.advance(10_000);
  expect(reserve.heldBytes).toBe(3 * MIB);
  await filledAt(9 * MIB, 4 * MIB);
});

test("a start that finds no room takes of the reserve", async () => {
  await reserve.refill();
  free = 0;
  using _ = new DiskWatch({
    freeBytes: () => free + 4 * MIB - reserve.heldBytes,
    lowBytes: LOW,
    reserve,
    timers,
  });
  expect(reserve.heldBytes).toBe(2 * MIB);
});
