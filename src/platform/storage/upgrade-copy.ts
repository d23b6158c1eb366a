import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toTimestamp } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import { storeVersion } from "./migrate.ts";
import { createPrivateFile } from "./private-file.ts";

const KEPT = 3;
/** What a copy is called until it is verified, and what SQLite puts beside it. */
const DRAFT_NAME = /^data-.*\.new(-journal)?$/;
const COPY_NAME = /^data-\d+-(\d{8}T\d{9}Z)\.sqlite$/;

/**
 * Writes a verified copy of the store to `<directory>/before-upgrade/` (mode 0600) and keeps the newest three.
 * Errors: StartError when there is no room for it or it cannot be verified; the store is then untouched.
 */
export function copyBeforeUpgrade(
  database: DatabaseSync,
  options: { directory: string; version: number; nowMs: number; freeBytes: number },
): void {
  const needed = spaceNeeded(options.directory);
  if (options.freeBytes < needed) {
    throw new StartError(
      `The upgrade needs ${needed} free bytes in ${options.directory} for a copy of the store and finds ` +
        `${options.freeBytes}. Nothing was changed; make room and start again.`,
    );
  }
  const folder = join(options.directory, "before-upgrade");
  const stamp = toTimestamp(options.nowMs).replace(/[-:.]/g, "");
  const copy = join(folder, `data-${options.version}-${stamp}.sqlite`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    removeDrafts(folder);
    writeCopy(database, copy, options.version);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `No copy of the store could be made at ${copy} (${reason}); the upgrade did not begin.`,
      {
        cause: error,
      },
    );
  }
  removeOldest(folder);
}

/** Room for the copy and as much again, since an upgrade may rewrite every page into the write-ahead log. */
function spaceNeeded(directory: string): number {
  const sizes = ["data.sqlite", "data.sqlite-wal"].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return 2 * sizes.reduce((sum, size) => sum + size, 0);
}

/** A crash leaves a draft, never half a copy under the name of a whole one. */
function writeCopy(database: DatabaseSync, copy: string, version: number): void {
  const draft = `${copy}.new`;
  if (!createPrivateFile(draft)) throw new Error("a file of that name exists");
  try {
    // VACUUM INTO takes an empty file as its target, so the copy is never readable by others, whatever the umask.
    database.prepare("VACUUM INTO ?").run(draft);
    verifyCopy(draft, version);
    sync(draft);
    renameSync(draft, copy);
    sync(dirname(copy));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) if (DRAFT_NAME.test(name)) rmSync(join(folder, name));
}

function verifyCopy(copy: string, version: number): void {
  const written = new DatabaseSync(copy, { readOnly: true });
  try {
    const verdict = written.prepare("PRAGMA integrity_check").get()?.integrity_check;
    if (verdict !== "ok") throw new Error(`the copy is damaged: ${String(verdict)}`);
    if (storeVersion(written) !== version) throw new Error("the copy has another version than the store");
  } finally {
    written.close();
  }
}

function removeOldest(folder: string): void {
  const stampOf = (name: string) => COPY_NAME.exec(name)?.[1] ?? "";
  const copies = readdirSync(folder).filter((name) => COPY_NAME.test(name));
  copies.sort((left, right) => stampOf(right).localeCompare(stampOf(left)));
  for (const name of copies.slice(KEPT)) rmSync(join(folder, name));
}
