import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import type { SqlValue } from "./database.ts";
import { isDamage, sqliteCode } from "./sqlite-code.ts";
import { damagedText } from "./store-check.ts";

const EXIT_DATAERR = 65;
const BUSY_TIMEOUT_MS = 5000;

/** A store as it was at one moment, for a program that only reads, also while a server runs on it. */
export interface ReadOnlyStore extends Disposable {
  /** Rows as they come, never all at once. Throws StartError (65) where the file is damaged. */
  rows(sql: string, ...parameters: readonly SqlValue[]): Iterable<Readonly<Record<string, unknown>>>;
}

/** Opens the store of a data directory on this thread. Throws StartError: 65 where there is none, or a damaged one. */
export function openForReading(dataDir: string): ReadOnlyStore {
  const path = join(dataDir, "db", "data.sqlite");
  if (!existsSync(path)) throw new StartError(`There is no store in ${dataDir}.`, { exitCode: EXIT_DATAERR });
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    // Within one transaction everything read is of the same moment.
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (error) {
    database.close();
    throw asDamage(error, path);
  }
  return {
    rows: (sql, ...parameters) => readRows(database, path, { sql, parameters }),
    [Symbol.dispose]: () => database.close(),
  };
}

function* readRows(
  database: DatabaseSync,
  path: string,
  { sql, parameters }: { readonly sql: string; readonly parameters: readonly SqlValue[] },
): Iterable<Readonly<Record<string, unknown>>> {
  try {
    yield* database.prepare(sql).iterate(...parameters);
  } catch (error) {
    throw asDamage(error, path);
  }
}

function asDamage(error: unknown, path: string): unknown {
  if (!isDamage(sqliteCode(error))) return error;
  const reason = error instanceof Error ? error.message : "";
  return new StartError(damagedText(path, reason), { exitCode: EXIT_DATAERR, cause: error });
}
