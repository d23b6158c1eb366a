import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RANGES, rangeNamed, startOf } from "./ranges.ts";

const NOW = Date.UTC(2026, 2, 1, 12);
beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

test("each range begins as long ago as its word says", () => {
  expect(RANGES.map((range) => [range.value, startOf(range)])).toEqual([
    ["1h", "2026-03-01T11:00:00.000Z"],
    ["24h", "2026-02-28T12:00:00.000Z"],
    ["7d", "2026-02-22T12:00:00.000Z"],
    ["30d", "2026-01-30T12:00:00.000Z"],
    ["90d", "2025-12-01T12:00:00.000Z"],
  ]);
});

test("a range is known by its word, and any other word is a day", () => {
  for (const range of RANGES) expect(rangeNamed(range.value)).toBe(range);
  for (const word of [undefined, "", "1H", "24", "100y"]) expect(rangeNamed(word).value).toBe("24h");
});
