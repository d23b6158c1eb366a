import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import { takeDirectoryLock } from "./directory-lock.ts";
import { migrate, storeVersion } from "./migrate.ts";
import { createPrivateFile } from "./private-file.ts";
import { isDamage, sqliteCode } from "./sqlite-code.ts";
import type { ThreadStart } from "./sqlite-protocol.ts";
import { copyBeforeUpgrade } from "./upgrade-copy.ts";

const BUSY_TIMEOUT_MS = 1000;
const EXIT_IOERR = 74;

export interface Store {
  readonly database: DatabaseSync;
  /** Moves the write-ahead log into the file, closes it and gives the directory back. */
  close(): void;
}

/** Locks the directory, opens the store, checks it and brings it to this program's version. Errors: StartError. */
export function openStore(start: ThreadStart): Store {
  const directory = join(start.dataDir, "db");
  const path = join(directory, "data.sqlite");
  const opened: DatabaseSync[] = [];
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    opened.push(takeDirectoryLock(join(directory, "lock.sqlite")));
    const database = openData(path, existsSync(join(start.dataDir, "secrets", "machine.key")));
    opened.push(database);
    migrate(database, {
      ...start,
      beforeUpgrade: (version) => copyBeforeUpgrade(database, { ...start, directory, version }),
    });
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return { database, close: () => closeStore(opened) };
  } catch (error) {
    closeAll(opened);
    throw asStartError(error, path);
  }
}

function openData(path: string, mustExist: boolean): DatabaseSync {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (mustExist && size === 0) throw new StartError(lostText(path));
  createPrivateFile(path);
  // The -wal and -shm files take their mode from this one.
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    checkStore(database, path, mustExist);
    // FULL: a commit is on the disk when it is answered, so a revoked key stays revoked after a power cut.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkStore(database: DatabaseSync, path: string, mustExist: boolean): void {
  const verdict = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (verdict !== "ok") throw new StartError(damagedText(path, String(verdict)));
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  if (storeVersion(database) > 0) return;
  if (mustExist) throw new StartError(lostText(path));
  if (tables !== 0) {
    throw new StartError(`${path} is a database of another program. Move it away, or set another DATA_DIR.`);
  }
}

function closeStore(opened: DatabaseSync[]): void {
  try {
    opened.at(-1)?.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    closeAll(opened);
  }
}

/** The lock was opened first and goes last. */
function closeAll(opened: DatabaseSync[]): void {
  for (const database of opened.splice(0).reverse()) database.close();
}

function asStartError(error: unknown, path: string): StartError {
  if (error instanceof StartError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isDamage(sqliteCode(error))) return new StartError(damagedText(path, reason), { cause: error });
  return new StartError(
    `The database ${path} could not be opened: ${reason}. Check the directory's owner and mode.`,
    {
      exitCode: EXIT_IOERR,
      cause: error,
    },
  );
}

function damagedText(path: string, reason: string): string {
  return `The database ${path} is damaged (${reason}). It was left as it is; restore a backup.`;
}

function lostText(path: string): string {
  return (
    `The database ${path} is missing or empty although this data directory has a machine key, so it held data before. ` +
    "Restore a backup; to begin anew, set another DATA_DIR."
  );
}
