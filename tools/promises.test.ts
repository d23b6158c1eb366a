import { expect, test } from "vitest";
import { comparePromises, readPromises, readTitles } from "./promises.ts";

const row = (id: string, state: string) => `| ${id} | says a \\| b | ${state} |\n`;
const problemsOf = (table: string, tests: string) =>
  comparePromises(readPromises(table), readTitles(tests)).problems;

test.each([
  ["an id that no promise has", row("N1", "none yet"), 'test("[N9] x")', "N9: a test names it"],
  ["whole without a test", row("N1", "whole"), "", 'N1: "whole" without a test'],
  ["partly without a test", row("N1", "partly: y"), "", 'N1: "partly: y" without a test'],
  ["none yet with a test", row("N1", "none yet"), 'test("[N1] x")', 'N1: "none yet", but has 1'],
  ["a malformed state", row("N1", "done"), "", 'N1: malformed state "done"'],
  ["partly without a reason", row("N1", "partly:"), "", "N1: malformed state"],
  ["an id twice", row("N1", "none yet") + row("N1", "none yet"), "", "N1: stands in the table twice"],
  ["an empty table", "", "", "the table holds no promise"],
])("reports %s", (_name, table, tests, problem) => {
  const problems = problemsOf(table, tests);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test("counts every id of a title, and passes a table that agrees", () => {
  const titles = readTitles('test("[N1 N2] x"); test(`[N1][N3] y`); const a = ["N4"]; test("of [N5]")');
  expect(titles).toEqual([
    ["N1", "N2"],
    ["N1", "N3"],
  ]);
  const table = row("N1", "whole") + row("N2", "whole") + row("N3", "partly: z") + row("N4", "none yet");
  expect(comparePromises(readPromises(table), titles).problems).toEqual([]);
});
