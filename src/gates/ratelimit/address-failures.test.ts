import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { AddressFailures } from "./address-failures.ts";
import { createAddressMemory, SET_CELLS, SETS } from "./address-memory.ts";

const attached = (memory = createAddressMemory(seededRandom(7)), thread = 0) =>
  new AddressFailures({ memory, thread });

/** How many more failures the address may make. */
function left(failures: AddressFailures, address: string, nowMs: number): number {
  let count = 0;
  while (failures.failed(address, nowMs) === undefined) count += 1;
  return count;
}

test("[A12] an address may fail 60 times, then once in a second, and is told how long to wait", () => {
  const failures = attached();
  expect(left(failures, "192.0.2.1", 0)).toBe(60);
  expect(failures.failed("192.0.2.1", 500)).toBe(1);
  expect(left(failures, "192.0.2.1", 1000)).toBe(1);
  expect(left(failures, "192.0.2.1", 61_000)).toBe(60);
});

test.each([
  ["192.0.2.1", "192.0.2.2", 60],
  ["192.0.2.1", "::ffff:192.0.2.1", 0],
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", 0],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", 60],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.2", 60],
])("[A12] when %s failed too often, %s may fail %i times", (first, second, expected) => {
  const failures = attached();
  left(failures, first, 0);
  expect(left(failures, second, 0)).toBe(expected);
});

test("[A12] 10,000 addresses are remembered, for as long as it matters", () => {
  const failures = attached();
  for (let at = 0; at < 10_000; at++) left(failures, `10.0.${at >> 8}.${at & 255}`, 0);
  for (let at = 0; at < 10_000; at++)
    expect(failures.failed(`10.0.${at >> 8}.${at & 255}`, 500)).toBeDefined();
});

test("[A12] however many addresses fail, the memory stays as it is, and the one that failed longest ago is forgotten", () => {
  const failures = attached();
  left(failures, "192.0.2.1", 0);
  left(failures, "192.0.2.2", 0);
  for (let other = 0; other < 200_000; other++) {
    const nowMs = 1 + other / 1000;
    if (other % 100 === 0) failures.failed("192.0.2.2", nowMs);
    failures.failed(`10.${other >> 16}.${(other >> 8) & 255}.${other & 255}`, nowMs);
  }
  expect(failures.failed("192.0.2.1", 201)).toBeUndefined();
  expect(failures.failed("192.0.2.2", 201)).toBe(1);
});

test("[A12] an address fails 60 times in all, whichever of two threads it meets", () => {
  const memory = createAddressMemory(seededRandom(7));
  const [first, second] = [attached(memory, 0), attached(memory, 1)];
  for (let failed = 0; failed < 30; failed++)
    for (const thread of [first, second]) expect(thread.failed("192.0.2.1", failed % 3)).toBeUndefined();
  for (const thread of [first, second]) expect(thread.failed("192.0.2.1", 0)).toBe(1);
});

test("[A12] what a thread that is no more had locked is free again", () => {
  const memory = createAddressMemory(seededRandom(7));
  const words = new Int32Array(memory.buffer);
  for (let set = 0; set < SETS; set++) words[set * SET_CELLS * 2] = set === 7 ? 1 : 2;
  attached(memory, 0).forget(1);
  expect([...words].filter((word) => word !== 0)).toEqual([1]);
});

test("[A12] where an address has its place is of each process alone", () => {
  const placed = (seed: number) => {
    const memory = createAddressMemory(seededRandom(seed));
    attached(memory).failed("192.0.2.1", 0);
    return new Float64Array(memory.buffer).findIndex((cell) => cell !== 0);
  };
  expect(placed(1)).toBe(placed(1));
  expect(new Set([1, 2, 3, 4].map(placed)).size).toBeGreaterThan(1);
});
