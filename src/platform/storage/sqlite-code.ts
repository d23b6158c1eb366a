import type { Constraint } from "./statement-error.ts";

/** Extended result codes of SQLite (sqlite.org/rescode.html). */
const CONSTRAINTS: ReadonlyMap<number, Constraint> = new Map([
  [275, "check"],
  [787, "foreign_key"],
  [1299, "not_null"],
  [1555, "unique"],
  [1811, "trigger"],
  [2067, "unique"],
  [2579, "unique"],
]);
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
/** The shared-memory file could not grow: on a local file system that is a full disk. */
const SQLITE_IOERR_SHMSIZE = 4874;

/** SQLite's extended result code in an error of node:sqlite; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

export function constraintOf(code: number | undefined): Constraint | undefined {
  return code === undefined ? undefined : CONSTRAINTS.get(code);
}

export function isDiskFull(code: number | undefined): boolean {
  return code !== undefined && ((code & 0xff) === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE);
}

/** Whether the system would not let a database be written, or read. */
export function isRefusedBySystem(code: number | undefined): boolean {
  const refused = [SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN];
  return code !== undefined && refused.includes(code & 0xff);
}

export function isDamage(code: number | undefined): boolean {
  return code !== undefined && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff);
}
