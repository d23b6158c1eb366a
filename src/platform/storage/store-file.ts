import { DatabaseSync } from "node:sqlite";
import { Kysely, type Transaction } from "kysely";
import { AppError, StartError } from "#platform/lib/error.ts";
import { Turn } from "../threads/turn.ts";
import { MIGRATIONS, refuseStrangers, storeVersion, withChecksums } from "./migrate.ts";
import { runStatement } from "./run-statement.ts";
import { isDiskFull, sqliteCode } from "./sqlite-code.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { Outcome, Work } from "./sqlite-protocol.ts";
import { checkStore } from "./store-check.ts";
import type { Tables } from "./tables.ts";

const NOTHING: Outcome = { rows: [], changes: 0 };
const BUSY_TIMEOUT_MS = 1000;

/** A store that no server runs on, as one file: neither migrated nor changed by being opened. */
export interface StoreFile extends Disposable {
  /** The number of its last migration: only tables of that version are there. */
  readonly version: number;
  readonly query: Kysely<Tables>;
  transaction<T>(work: (query: Transaction<Tables>) => Promise<T>): Promise<T>;
  hasTable(name: string): boolean;
}

/** Opens the store in the calling thread, for commands that work without a server. */
export function openStoreFile(path: string, options: { readOnly: boolean }): StoreFile {
  const database = new DatabaseSync(path, { ...options, timeout: BUSY_TIMEOUT_MS });
  const turn = new Turn();
  const query = new Kysely<Tables>({
    dialect: sqliteDialect(async () => {
      const release = await turn.take();
      return { send: async (work) => performOrFull(database, work), release };
    }),
  });
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  return {
    version: storeVersion(database),
    query,
    transaction: (work) => query.transaction().execute(work),
    hasTable: (name) => table.get(name) !== undefined,
    [Symbol.dispose]: () => database.close(),
  };
}

/** The version of the stores that this program writes. */
export const STORE_VERSION = Math.max(...MIGRATIONS.map(({ number }) => number));

/**
 * Looks at every page and every row of a store: StartError when it is damaged, of another program, newer than this one
 * or written by another migration of the same number. Changes nothing.
 */
export async function verifyStoreFile(path: string): Promise<void> {
  const migrations = await withChecksums(MIGRATIONS);
  checkStore(path, { mustExist: true, migrations, timeoutMs: BUSY_TIMEOUT_MS });
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    const verdict = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
    const orphan = database.prepare("PRAGMA foreign_key_check").get();
    if (verdict !== "ok" || orphan !== undefined)
      throw new StartError(
        `The database is damaged (${orphan === undefined ? String(verdict) : "a reference"}).`,
      );
    refuseStrangers(database, migrations);
  } finally {
    database.close();
  }
}

/** A full disk is AppError `storage_full` here as on the storage thread. */
function performOrFull(database: DatabaseSync, work: Work): Outcome {
  try {
    return perform(database, work);
  } catch (error) {
    if (!isDiskFull(sqliteCode(error))) throw error;
    throw new AppError("storage_full", undefined, { cause: error });
  }
}

function perform(database: DatabaseSync, work: Work): Outcome {
  switch (work.op) {
    case "statement":
      return runStatement(database.prepare(work.sql), work.parameters);
    case "begin":
      database.exec("BEGIN IMMEDIATE");
      return NOTHING;
    case "commit":
      database.exec("COMMIT");
      return NOTHING;
    case "rollback":
      if (database.isTransaction) database.exec("ROLLBACK");
      return NOTHING;
    default:
      throw new Error(`a store in a file does no ${work.op}`);
  }
}
