import { expect, test } from "vitest";
import { relativeTime, waitText } from "./relative-time.ts";

const NOW = Date.UTC(2026, 0, 1);
const MIN = 60;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const shown = (...seconds: number[]) => seconds.map((s) => relativeTime(NOW + s * 1000, NOW));

test("what is within a minute is now, in a moment only where the clocks may not just differ", () => {
  expect(shown(0, -1, -59.4, 30, 31, 59)).toEqual([
    ...["just now", "just now", "just now", "just now"],
    ...["in a moment", "in a moment"],
  ]);
});

test("the past and the future by the largest unit that is full", () => {
  expect(shown(-MIN, -59 * MIN, -HOUR, -23 * HOUR, -DAY, -2 * DAY, -29 * DAY)).toEqual([
    ...["1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago"],
    ...["yesterday", "2 days ago", "29 days ago"],
  ]);
  expect(shown(-30 * DAY, -60 * DAY, -365 * DAY, -730 * DAY)).toEqual([
    ...["last month", "2 months ago", "last year", "2 years ago"],
  ]);
  expect(shown(MIN, 5 * HOUR, DAY, 3 * DAY, 31 * DAY, 400 * DAY)).toEqual([
    ...["in 1 minute", "in 5 hours", "tomorrow", "in 3 days", "next month", "next year"],
  ]);
});

test("a wait is never told shorter than it is", () => {
  const waits = [0, 1, 59, 60, 61, 3540, 3541, 3600, 3660, 7199, 86_400];
  expect(waits.map(waitText)).toEqual([
    ...["0 s", "1 s", "59 s", "1 min", "2 min", "59 min", "1 h 0 min", "1 h 0 min", "1 h 1 min"],
    ...["2 h 0 min", "24 h 0 min"],
  ]);
});
