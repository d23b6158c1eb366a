import type { Writable } from "node:stream";
import { ConfigProblems } from "#platform/config/problems.ts";
import { AppError } from "#platform/lib/error.ts";
import { CliError, exitCodeOf } from "./exit-codes.ts";

/** A value a table can show; `null` and `undefined` are shown as `-`. */
export type Cell = string | number | boolean | null | undefined;

/** Where a command's words go. The results go to stdout, everything said about them to stderr. */
export interface Output {
  /** One result: `value` as one line of JSON with `--json`, else the text `human` makes of it. */
  result(value: unknown, human: () => string): void;
  /** A list: an array of JSON objects with `--json`, else a table of `columns` in that order. */
  table<Column extends string>(
    columns: readonly Column[],
    rows: readonly Readonly<Record<Column, Cell>>[],
  ): void;
  /** How far long work is, in place of what stood there before, on stderr where that is a terminal; empty takes it away. */
  progress(text: string): void;
  /** A remark for the person at the terminal, on stderr so that a pipe never reads it. */
  note(text: string): void;
  /**
   * Reports `error` on stderr and returns the exit status it means: as `claviger: problem` with the repair below it,
   * with `--json` as `{"error":{"message","exit_code","code"?,"repair"?,"problems"?}}`.
   */
  fail(error: unknown): number;
}

export interface OutputOptions {
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  json: boolean;
  /** True when the caller found NO_COLOR set, or was told so by a flag. */
  noColor: boolean;
}

/** The only place that writes on stdout and stderr. Colour is used on a terminal only. */
export function createOutput({ stdout, stderr, json, noColor }: OutputOptions): Output {
  const bold = stdout.isTTY === true && !noColor ? (text: string) => `\u001b[1m${text}\u001b[22m` : String;
  return {
    result: (value, human) => {
      stdout.write(`${json ? JSON.stringify(value) : human()}\n`);
    },
    table: (columns, rows) => {
      stdout.write(json ? `${JSON.stringify(rows)}\n` : layOut(columns, rows, bold));
    },
    progress: (text) => {
      if (stderr.isTTY === true) stderr.write(`\r\u001b[K${text}`);
    },
    note: (text) => {
      stderr.write(`${text}\n`);
    },
    fail: (thrown) => {
      const error = firstOf(thrown);
      stderr.write(json ? `${JSON.stringify(errorValue(error))}\n` : describe(error));
      return exitCodeOf(error);
    },
  };
}

function layOut<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, Cell>>[],
  bold: (text: string) => string,
): string {
  const cells = rows.map((row) => columns.map((column) => printable(String(row[column] ?? "-"))));
  const heading = columns.map((column) => column.toUpperCase().replaceAll("_", " "));
  const widths = heading.map((name, at) =>
    Math.max(name.length, ...cells.map((line) => [...(line[at] ?? "")].length)),
  );
  const join = (line: readonly string[]) =>
    line
      .map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd();
  return [bold(join(heading)), ...cells.map(join)].map((line) => `${line}\n`).join("");
}

function errorValue(error: unknown): object {
  return {
    error: {
      message: messageOf(error),
      exit_code: exitCodeOf(error),
      ...(error instanceof AppError && { code: error.code }),
      ...(error instanceof CliError && {
        ...(error.problem && { code: error.problem.code }),
        ...(error.repair !== undefined && { repair: error.repair }),
      }),
      ...(error instanceof ConfigProblems && { problems: error.problems }),
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "something went wrong";
}

/** What failed first, where undoing it failed too. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

function describe(error: unknown): string {
  const lines = messageOf(error).split("\n").map(printable);
  const repair =
    error instanceof CliError && error.repair !== undefined ? [`  ${printable(error.repair)}`] : [];
  return `claviger: ${[...lines, ...repair].join("\n")}\n`;
}

/** Names and messages come from others: one with terminal commands or reversed writing in it must not act here. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}
