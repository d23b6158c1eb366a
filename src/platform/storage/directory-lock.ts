import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import { createPrivateFile } from "./private-file.ts";
import { sqliteCode } from "./sqlite-code.ts";

const SQLITE_BUSY = 5;
/** Long enough for a process that is just ending, short enough that a refusal comes within two seconds. */
const WAIT_MS = 500;
const EXIT_TEMPFAIL = 75;

/**
 * Takes `path` for this process by BEGIN EXCLUSIVE; the kernel frees it when the process ends, however it ends.
 * Closing the returned database gives it back. Errors: StartError (75) naming the holder's pid where it is known.
 */
export function takeDirectoryLock(path: string): DatabaseSync {
  // Never opened by fs once it exists: closing any descriptor of a file drops all POSIX locks the process has on it.
  createPrivateFile(path);
  chmodSync(path, 0o600);
  const lock = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (((sqliteCode(error) ?? 0) & 0xff) !== SQLITE_BUSY) throw error;
    throw new StartError(describeHolder(path), { exitCode: EXIT_TEMPFAIL, cause: error });
  }
}

/**
 * Throws StartError (75) where another process holds the data directory, before a start has loaded what it would need.
 * Takes nothing, and says nothing of whatever else is wrong there: that is found when the store is opened.
 */
export function refuseHeldDirectory(dataDir: string): void {
  const path = lockPath(dataDir);
  if (!existsSync(path)) return;
  try {
    takeDirectoryLock(path).close();
  } catch (error) {
    if (error instanceof StartError) throw error;
  }
}

export function lockPath(dataDir: string): string {
  return join(dataDir, "db", "lock.sqlite");
}

/** Pid that holds a write lock on `inode`, from the text of proc_locks(5); undefined when it cannot be told. */
export function lockHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split("\n")) {
    const found = /^\d+: POSIX\s+\S+\s+WRITE (\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line);
    // Pid 0 is what a process of another pid namespace looks like.
    if (found && Number(found[2]) === inode && Number(found[1]) > 0) return Number(found[1]);
  }
  return undefined;
}

function describeHolder(path: string): string {
  const pid = readHolder(path);
  const holder = pid === undefined ? "Another process" : `Another process (pid ${pid})`;
  return `${holder} is using this data directory (${path} is locked). Stop it, or set another DATA_DIR.`;
}

function readHolder(path: string): number | undefined {
  try {
    return lockHolder(readFileSync("/proc/locks", "utf8"), statSync(path).ino);
  } catch {
    return undefined; // No /proc/locks on this system: the refusal stands without the pid.
  }
}
