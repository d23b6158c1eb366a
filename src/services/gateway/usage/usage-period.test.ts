import { expect, test } from "vitest";
import { dateOf, dayOf, lastDays, parsePeriod } from "./usage-period.ts";

const NOW = Date.UTC(2026, 10, 21, 7, 44);

test("[H8] without a period it is the last 30 days, today in it", () => {
  expect(parsePeriod({}, lastDays(NOW))).toEqual({ from: Date.UTC(2026, 9, 23), to: Date.UTC(2026, 10, 22) });
});

test("[H8] dates are the first moment of a day in UTC, times are exact", () => {
  expect(parsePeriod({ from: "2026-11-01", to: "2026-11-02" }, lastDays(NOW))).toEqual({
    from: Date.UTC(2026, 10, 1),
    to: Date.UTC(2026, 10, 2),
  });
  expect(
    parsePeriod({ from: "2026-11-01T01:00:00+01:00", to: "2026-11-01T00:00:00.5Z" }, lastDays(NOW)),
  ).toEqual({
    from: Date.UTC(2026, 10, 1),
    to: Date.UTC(2026, 10, 1) + 500,
  });
  expect(parsePeriod({ to: "2026-11-02" }, lastDays(NOW)).from).toBe(Date.UTC(2026, 9, 3));
});

test.each([
  "yesterday",
  "",
  "2026-02-30",
  "2026-13-01",
  "2026-11-01T00:00:00",
  "1767225600",
  "2026-11-01T00:00:00 01:00",
])("[H8] %j is refused with what to write instead", (text) => {
  expect(() => parsePeriod({ from: text }, lastDays(NOW))).toThrow(/^from must be a date such as 2026-11-21/);
  expect(() => parsePeriod({ to: text }, lastDays(NOW))).toThrow(/^to must be a date such as 2026-11-21/);
});

test("[H8] a period that ends before it begins, or at once, is refused", () => {
  expect(() => parsePeriod({ from: "2026-11-02", to: "2026-11-01" }, lastDays(NOW))).toThrow(
    "from must lie before to",
  );
  expect(() => parsePeriod({ from: "2026-11-02", to: "2026-11-02" }, lastDays(NOW))).toThrow(
    "from must lie before to",
  );
  expect(() => parsePeriod({ from: "2027-01-01" }, lastDays(NOW))).toThrow("from must lie before to");
});

test("a day and its date belong together, before 1970 too", () => {
  expect(dateOf(dayOf(NOW))).toBe("2026-11-21");
  expect(dateOf(dayOf(-1))).toBe("1969-12-31");
});
