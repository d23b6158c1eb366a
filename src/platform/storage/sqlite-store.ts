import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import { lockPath, takeDirectoryLock } from "./directory-lock.ts";
import { migrate } from "./migrate.ts";
import { createPrivateFile } from "./private-file.ts";
import { finishReplacement } from "./replacement.ts";
import { isDamage, isDiskFull, sqliteCode } from "./sqlite-code.ts";
import type { ThreadStart } from "./sqlite-protocol.ts";
import { checkStore, damagedText, lostText } from "./store-check.ts";
import { copyBeforeUpgrade } from "./upgrade-copy.ts";

/** What tells a lost database from a new one: the key that wraps its secrets, or the word that a passphrase does. */
const KEY_FILES = ["machine.key", "passphrase-set"] as const;
const BUSY_TIMEOUT_MS = 1000;
/** What one long transaction left of the log is cut to this. */
const LOG_BYTES = 8 * 1024 * 1024;
const INCREMENTAL = 2;
const EXIT_IOERR = 74;
const EXIT_TEMPFAIL = 75;

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
    opened.push(takeDirectoryLock(lockPath(start.dataDir)));
    finishRestore(start.dataDir);
    const database = openData(path, start);
    opened.push(database);
    migrate(database, {
      ...start,
      beforeUpgrade: (version) => copyBeforeUpgrade(database, { ...start, directory, version }),
    });
    makeShrinkable(database, path, start.freeBytes);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return { database, close: () => closeStore(opened) };
  } catch (error) {
    closeAll(opened);
    throw asStartError(error, path);
  }
}

/** One that was decided and then interrupted. Its configuration would come too late: the old one was read already. */
function finishRestore(dataDir: string): void {
  if (!finishReplacement(dataDir).some((path) => path.startsWith("etc/"))) return;
  throw new StartError(
    "A restore that was interrupted is complete now, and brought another configuration. Start again.",
    { exitCode: EXIT_TEMPFAIL },
  );
}

function openData(path: string, { dataDir, migrations }: ThreadStart): DatabaseSync {
  const mustExist = KEY_FILES.some((name) => existsSync(join(dataDir, "secrets", name)));
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (mustExist && size === 0) throw new StartError(lostText(path));
  createPrivateFile(path);
  // The -wal and -shm files take their mode from this one.
  chmodSync(path, 0o600);
  if (size > 0) checkStore(path, { mustExist, migrations, timeoutMs: BUSY_TIMEOUT_MS });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    // FULL: a commit is on the disk when it is answered, so a revoked key stays revoked after a power cut.
    // Before anything is written: what is deleted can then be given back piece by piece. An older store needs one rewriting.
    // Saying so again would write to the file, also of a store that is then refused.
    if (!isShrinkable(database)) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec(`PRAGMA journal_size_limit = ${LOG_BYTES}`);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    // 16 MiB of pages: with SQLite's own 2 a transaction that touches more writes pages twice.
    database.exec("PRAGMA cache_size = -16384");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A store from before files shrank is rewritten once, where there is room for the log of it and for the new file. */
function makeShrinkable(database: DatabaseSync, path: string, freeBytes: number): void {
  if (isShrinkable(database)) return;
  if (statSync(path).size * 2 > freeBytes) return;
  try {
    database.exec("VACUUM");
  } catch (error) {
    // It is as it was, and serves; the next start tries again.
    if (!isDiskFull(sqliteCode(error))) throw error;
  }
}

function isShrinkable(database: DatabaseSync): boolean {
  return Number(database.prepare("PRAGMA auto_vacuum").get()?.auto_vacuum) === INCREMENTAL;
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
  if (isDiskFull(sqliteCode(error)) || isFullError(error)) {
    return new StartError(
      `The disk is full: ${path} cannot be opened (${reason}). Make room and start again.`,
      {
        exitCode: EXIT_TEMPFAIL,
        cause: error,
      },
    );
  }
  return new StartError(
    `The database ${path} could not be opened: ${reason}. Check the directory's owner and mode.`,
    {
      exitCode: EXIT_IOERR,
      cause: error,
    },
  );
}

/** The file system's own word, where a file could not even be made. */
function isFullError(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
