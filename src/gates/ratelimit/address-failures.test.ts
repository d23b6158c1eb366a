import { expect, test } from "vitest";
import { AddressFailures } from "./address-failures.ts";

/** How many more failures the address may make. */
function left(failures: AddressFailures, address: string, nowMs: number): number {
  let count = 0;
  while (failures.failed(address, nowMs) === undefined) count += 1;
  return count;
}

test("[A12] an address may fail 30 times, then once in two seconds, and is told how long to wait", () => {
  const failures = new AddressFailures();
  expect(left(failures, "192.0.2.1", 0)).toBe(30);
  expect(failures.failed("192.0.2.1", 500)).toBe(2);
  expect(left(failures, "192.0.2.1", 2000)).toBe(1);
  expect(left(failures, "192.0.2.1", 62_000)).toBe(30);
});

test.each([
  ["192.0.2.1", "192.0.2.2", 30],
  ["192.0.2.1", "::ffff:192.0.2.1", 0],
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", 0],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", 30],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.2", 30],
])("[A12] when %s failed too often, %s may fail %i times", (first, second, expected) => {
  const failures = new AddressFailures();
  left(failures, first, 0);
  expect(left(failures, second, 0)).toBe(expected);
});

test("[A12] 10,000 addresses are remembered; the one that failed longest ago is forgotten", () => {
  const failures = new AddressFailures();
  for (const address of ["192.0.2.1", "192.0.2.2"]) left(failures, address, 0);
  for (let other = 0; other < 9_998; other++) failures.failed(`10.0.${other >> 8}.${other & 255}`, 0);
  expect(left(failures, "192.0.2.1", 0)).toBe(0);
  failures.failed("198.51.100.1", 0);
  expect(left(failures, "192.0.2.1", 0)).toBe(0);
  expect(left(failures, "192.0.2.2", 0)).toBe(30);
});
