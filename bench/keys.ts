/*
 * What many keys cost: looking one up, memory, loading them at the start, and the longest pause of the event loop while
 * keys are made and revoked. Each number of keys has a process and a store of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import NODE_FLAGS from "../runtime/node-flags.json" with { type: "json" };
import type { KeysMeasure } from "./keys-probe.ts";

const PROBE = path.join(import.meta.dirname, "keys-probe.ts");
const COUNTS = [1, 1_000, 100_000, 1_000_000];

/** Prints a table; `args` may name other numbers of keys than 1, 1,000, 100,000 and 1,000,000. */
export async function reportKeys(args: readonly string[]): Promise<void> {
  const counts = args.length === 0 ? COUNTS : args.map(Number);
  const wrong = args[counts.findIndex((count) => !Number.isInteger(count) || count < 1)];
  if (wrong !== undefined) throw new Error(`${wrong} is no number of keys`);
  const measures: { count: number; measure: KeysMeasure }[] = [];
  for (const count of counts) {
    console.error(`${count.toLocaleString("en")} keys`);
    measures.push({ count, measure: await measureKeys(count) });
  }
  console.log(renderTable(measures));
}

async function measureKeys(count: number): Promise<KeysMeasure> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-keys-"));
  try {
    await probe("fill", directory, count);
    return JSON.parse(await probe("measure", directory, count));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function probe(mode: "fill" | "measure", directory: string, count: number): Promise<string> {
  const args = ["--expose-gc", ...NODE_FLAGS.sources, PROBE, mode, directory, String(count)];
  const { status, stdout, stderr } = await runProgram(process.execPath, args);
  if (status !== 0) throw new Error(`${mode} ${count}: ${stderr}`);
  return stdout;
}

function renderTable(measures: readonly { count: number; measure: KeysMeasure }[]): string {
  const number = (value: number, digits = 0) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const least = measures[0]?.measure.rightUs ?? Number.NaN;
  const columns: readonly (readonly [string, (count: number, measure: KeysMeasure) => string])[] = [
    ["keys", (count) => number(count)],
    ["right key, µs", (_, { rightUs }) => number(rightUs, 2)],
    ["unknown key, µs", (_, { unknownUs }) => number(unknownUs, 2)],
    ["look-ups/s, of the first", (_, { rightUs }) => number(least / rightUs, 2)],
    ["resident, MB", (_, { residentBytes }) => number(residentBytes / 2 ** 20, 1)],
    ["a key, bytes", (count, { residentBytes }) => number(residentBytes / count)],
    ["loaded in, ms", (_, { loadMs }) => number(loadMs)],
    ["longest pause, ms", (_, { loadPauseMs }) => number(loadPauseMs, 1)],
    ["made and revoked, a change in ms", (_, { changes, changesMs }) => number(changesMs / changes, 2)],
    ["longest pause, ms", (_, { changesPauseMs }) => number(changesPauseMs, 1)],
    [
      "last uses written in, ms",
      (_, { flushMs, flushedUses }) => `${number(flushMs)} (${number(flushedUses)})`,
    ],
    ["longest pause, ms", (_, { flushPauseMs }) => number(flushPauseMs, 1)],
    ["a page of 100, ms", (_, { pageMs }) => number(pageMs, 1)],
  ];
  const rows = [
    columns.map(([title]) => title),
    columns.map(() => "---:"),
    ...measures.map(({ count, measure }) => columns.map(([, cell]) => cell(count, measure))),
  ];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
