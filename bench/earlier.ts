/* The last result that was committed, and how today's ratios to nginx stand to its own. */
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import { CLAVIGER } from "./contenders.ts";
import { renderRows } from "./table.ts";

const RESULTS = "bench/results/";

export interface EarlierResult {
  readonly name: string;
  readonly text: string;
}

/**
 * The newest one of this processor (as `describeProcessor` names it), as the last commit has it, so that a run of today does
 * not compare with itself; undefined when there is none.
 */
export async function lastCommittedResult(processor: string): Promise<EarlierResult | undefined> {
  const listed = await git("ls-tree", "--name-only", "HEAD", RESULTS);
  const newestFirst = listed
    .split("\n")
    .filter((name) => /\/\d{4}-\d\d-\d\d\.md$/.test(name))
    .toSorted()
    .toReversed();
  for (const name of newestFirst) {
    const text = await git("show", `HEAD:${name}`);
    if (text.split("\n").includes(`- ${processor}`)) return { name: path.basename(name), text };
  }
  return undefined;
}

/** What git prints; nothing where it fails, as it does outside of a checkout. */
async function git(...words: readonly string[]): Promise<string> {
  const cwd = path.resolve(import.meta.dirname, "..");
  const { status, stdout } = await runProgram("git", words, { cwd });
  return status === 0 ? stdout : "";
}

/**
 * A Markdown table of what both results measured. Only ratios to nginx are compared: nginx was measured in the same
 * minutes, so that what a busier machine does to both is not taken for progress.
 */
export function renderComparison(earlier: EarlierResult, text: string): string {
  const before = ratiosToNginx(earlier.text);
  const rows = [...ratiosToNginx(text)].flatMap(([figure, now]) => {
    const then = before.get(figure);
    if (then === undefined) return [];
    return [[figure, then.toFixed(2), now.toFixed(2), (now / then).toFixed(2)]];
  });
  if (rows.length === 0) return `${earlier.name} has nothing in common with this result.`;
  return renderRows(["Claviger, of nginx", earlier.name.replace(/\.md$/, ""), "now", "now / then"], rows);
}

/** From the rows of Claviger in every table: a column `of nginx` belongs to the column left of it. */
function ratiosToNginx(text: string): Map<string, number> {
  const found = new Map<string, number>();
  let titles: readonly string[] = [];
  for (const line of text.split("\n")) {
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells[1] === "by way of") titles = cells;
    if (cells.length !== titles.length || cells[1] !== CLAVIGER) continue;
    titles.forEach((title, at) => {
      const value = Number(cells[at]);
      if (title === "of nginx" && Number.isFinite(value)) found.set(`${cells[0]}: ${titles[at - 1]}`, value);
    });
  }
  return found;
}
