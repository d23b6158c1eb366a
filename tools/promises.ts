import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One row of docs/promises.md. */
export type Promised = { id: string; state: string };

/** What the table and the tests say together: tests per id, and everything on which they disagree. */
export type PromiseReport = { rows: Promised[]; tests: Map<string, number>; problems: string[] };

/** The rows of the table `text`, in its order. A row is `| id | promise | state |`, a `|` in it escaped. */
export function readPromises(text: string): Promised[] {
  const rows = text.matchAll(/^\| *([A-Z]+\d+) *\|(?:\\.|[^|\\\n])*\|((?:\\.|[^|\\\n])*)\| *$/gm);
  return [...rows].map((row) => ({ id: row[1] ?? "", state: (row[2] ?? "").trim() }));
}

/** The ids that the titles in one test file begin with: `[S12]`, `[S12 S13]`, `[S12][S13]`; one list per title. */
export function readTitles(text: string): string[][] {
  const titles = text.matchAll(/["'`]((?:\[[A-Z]+\d+(?:[ ,]+[A-Z]+\d+)*\] ?)+)/g);
  return [...titles].map((title) => [...new Set((title[1] ?? "").match(/[A-Z]+\d+/g) ?? [])]);
}

/** Holds the table against the titles of all tests. */
export function comparePromises(rows: Promised[], titles: string[][]): PromiseReport {
  const tests = new Map<string, number>();
  for (const id of titles.flat()) tests.set(id, (tests.get(id) ?? 0) + 1);
  const ids = rows.map((row) => row.id);
  const unknown = [...tests.keys()].filter((id) => !ids.includes(id));
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  const problems = [
    ...unknown.map((id) => `${id}: a test names it, but it is no promise`),
    ...twice.map((id) => `${id}: stands in the table twice`),
    ...rows.flatMap((row) => checkState(row, tests.get(row.id) ?? 0)),
    ...(rows.length === 0 ? ["the table holds no promise"] : []),
  ];
  return { rows, tests, problems };
}

function checkState({ id, state }: Promised, count: number): string[] {
  if (!/^(none yet|whole|partly: \S.*)$/.test(state)) return [`${id}: malformed state "${state}"`];
  if (state === "none yet") return count > 0 ? [`${id}: "none yet", but has ${count} tests`] : [];
  return count === 0 ? [`${id}: "${state}" without a test`] : [];
}

function testFiles(root: string): string[] {
  const places = ["src", "test", "tools", "web"].map((name) => path.join(root, name)).filter(existsSync);
  return places.flatMap((place) =>
    readdirSync(place, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts") && !name.split(path.sep).includes("node_modules"))
      .map((name) => path.join(place, name)),
  );
}

function print({ rows, tests, problems }: PromiseReport): void {
  for (const { id, state } of rows) console.log(`${id.padEnd(4)} ${state} (${tests.get(id) ?? 0})`);
  const open = rows.filter((row) => row.state !== "whole").map((row) => row.id);
  console.log(`\n${rows.length} promises, ${open.length} not whole: ${open.join(" ")}`);
  for (const problem of problems) console.log(`wrong: ${problem}`);
}

if (import.meta.main) {
  const root = path.join(import.meta.dirname, "..");
  // The titles in this tool's own test are examples, not proofs.
  const files = testFiles(root).filter((file) => !file.endsWith(path.join("tools", "promises.test.ts")));
  const titles = files.flatMap((file) => readTitles(readFileSync(file, "utf8")));
  const rows = readPromises(readFileSync(path.join(root, "docs", "promises.md"), "utf8"));
  const report = comparePromises(rows, titles);
  print(report);
  if (report.problems.length > 0) process.exitCode = 1;
}
