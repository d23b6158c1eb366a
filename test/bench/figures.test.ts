import { expect, test } from "vitest";
import { atLeast, atMost } from "../../bench/aims.ts";
import { renderComparison } from "../../bench/earlier.ts";
import { differenceOf, type Measure, medianOf, ratioOf } from "../../bench/measure.ts";
import { numbered, someNumbered } from "../../bench/numbered-keys.ts";
import { requireOpenFiles } from "../../bench/open-files.ts";
import { shareBelow } from "../../bench/share-below.ts";
import { renderMeasures } from "../../bench/table.ts";

/** One figure a round, by contender. */
function measured(rounds: Readonly<Record<string, readonly number[]>>): Measure[] {
  return Object.entries(rounds).flatMap(([contender, values]) =>
    values.map((cost) => ({ workload: "chat", contender, figures: { cost } })),
  );
}

test("ratios and differences are taken within each round, then their median", () => {
  const measures = measured({ nginx: [1, 10, 100], Claviger: [40, 20, 300] });
  expect(medianOf(measures, "Claviger", "cost")).toBe(40);
  expect(ratioOf(measures, "cost", ["Claviger", "nginx"])).toBe(3);
  expect(differenceOf(measures, "cost", ["Claviger", "nginx"])).toBe(39);
});

test("what was not measured is no number, never a good one", () => {
  expect(ratioOf(measured({ nginx: [1] }), "cost", ["Claviger", "nginx"])).toBeNaN();
  expect(medianOf([], "Claviger", "cost")).toBeNaN();
  expect(medianOf(measured({ nginx: [1] }), "nginx", "time")).toBeNaN();
});

test("an aim is met at its bound and missed beyond it, and by what was not measured", () => {
  expect([0.8, 0.79, Number.NaN].map((ratio) => atLeast("rate", 0.8, ratio).met)).toEqual([
    true,
    false,
    false,
  ]);
  expect([1.1, 1.11, Number.NaN].map((ratio) => atMost("CPU", 1.1, ratio).met)).toEqual([true, false, false]);
});

test("a number has one key, another number another, and those picked are among the first so many", () => {
  const texts = Array.from({ length: 3 }, (_, number) => numbered(number).text);
  expect(new Set(texts).size).toBe(3);
  expect(numbered(1).text).toBe(texts[1]);
  expect(new Set(someNumbered(200, 3))).toEqual(new Set(texts));
});

test("a share below is found in values of any order", () => {
  const at = shareBelow([5, 1, 4, 2, 3]);
  expect([at(0), at(0.5), at(1)]).toEqual([1, 3, 5]);
});

test("ratios to nginx are compared with those of an earlier table, whatever columns it has besides", () => {
  const columns = { title: "CPU", figure: "cost", show: String };
  const measures = measured({ nginx: [10], bare: [20], Claviger: [30] });
  const now = renderMeasures(measures, [{ ...columns, of: ["nginx", "bare"] }]);
  const then = renderMeasures(measured({ nginx: [10], Claviger: [60] }), [
    { ...columns, title: "requests/s", of: ["nginx"] },
    { ...columns, of: ["nginx"] },
  ]);
  const compared = renderComparison({ name: "2026-01-31.md", text: `# Earlier\n\n${then}\n` }, now);
  expect(compared.split("\n").slice(2)).toEqual(["| chat: CPU | 6.00 | 3.00 | 0.50 |"]);
  expect(compared).toContain("2026-01-31");
});

test("a result without anything in common says so", () => {
  const compared = renderComparison({ name: "2026-01-31.md", text: "nothing" }, "nothing either");
  expect(compared).toMatch(/nothing in common/);
});

test("more open files than the system gives is a refusal to report", async () => {
  await requireOpenFiles(64);
  await expect(requireOpenFiles(2_000_000_000)).rejects.toThrow(/nothing is reported/);
});
