import { expect, test } from "vitest";
import { RowColumns } from "./insert-rows.ts";

test("a row that cannot be kept is refused, and mixes up none of those before and behind it", () => {
  const rows = new RowColumns<{ name: string; value?: string; unknown?: string }>();
  rows.push({ name: "first", value: "1" });
  expect(() => rows.push({ name: "second", value: JSON.parse("true") })).toThrow();
  expect(() => rows.push({ name: "third", value: "3", unknown: "lost" })).toThrow();
  rows.push({ value: "4", name: "fourth" });
  rows.push({ name: "fifth" });
  expect([rows.length, rows.names]).toEqual([3, ["name", "value"]]);
  expect(rows.columns).toEqual([
    ["first", "fourth", "fifth"],
    ["1", "4", null],
  ]);
});
