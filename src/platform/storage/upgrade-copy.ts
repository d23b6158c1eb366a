import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toTimestamp } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import { syncPath } from "#platform/lib/file.ts";
import { type ConfigPlaces, configBytes, copyConfig } from "./config-copy.ts";
import { storeVersion } from "./migrate.ts";
import { createPrivateFile } from "./private-file.ts";

const KEPT = 3;
/** What a copy is called until it is verified, and what SQLite puts beside it. */
const DRAFT_NAME = /^(data|config)-.*\.new(-journal)?$/;
const COPY_NAME = /^data-(\d+-(\d{8}T\d{9}Z))\.sqlite$/;
const CONFIG_NAME = /^config-(\d+-\d{8}T\d{9}Z)$/;

interface CopyOptions {
  readonly directory: string;
  readonly version: number;
  readonly nowMs: number;
  readonly freeBytes: number;
  /** Unless given, the store is copied alone. */
  readonly config?: ConfigPlaces | undefined;
}

/**
 * Writes a verified copy of the store to `<directory>/before-upgrade/` (mode 0600), with one of the configuration
 * beside it (0700), and keeps the newest three. A copy of a store that is there is whole, and so is its configuration's.
 * Errors: StartError when there is no room for it or it cannot be verified; the store is then untouched.
 */
export function copyBeforeUpgrade(database: DatabaseSync, options: CopyOptions): void {
  const { directory, version, config } = options;
  const folder = join(directory, "before-upgrade");
  const name = `${version}-${toTimestamp(options.nowMs).replace(/[-:.]/g, "")}`;
  const copy = join(folder, `data-${name}.sqlite`);
  try {
    requireSpace(options);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    removeUnfinished(folder);
    // By a clock that was set back there can be one of this very moment.
    removeCopy(folder, name);
    if (config !== undefined) copyConfig(config, join(folder, `config-${name}`));
    writeCopy(database, copy, version);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `No copy of store and configuration could be made at ${copy} (${reason}); the upgrade did not begin.`,
      {
        cause: error,
      },
    );
  }
  removeOldest(folder);
}

function requireSpace(options: CopyOptions): void {
  const needed = spaceNeeded(options);
  if (options.freeBytes >= needed) return;
  throw new StartError(
    `The upgrade needs ${needed} free bytes in ${options.directory} for a copy of store and configuration and finds ` +
      `${options.freeBytes}. Nothing was changed; make room and start again.`,
  );
}

/** Room for the copy and as much again, since an upgrade may rewrite every page into the write-ahead log. */
function spaceNeeded({ directory, config }: CopyOptions): number {
  const sizes = ["data.sqlite", "data.sqlite-wal"].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  const configuration = config === undefined ? 0 : configBytes(config);
  return 2 * sizes.reduce((sum, size) => sum + size, 0) + configuration;
}

/** A crash leaves a draft, never half a copy under the name of a whole one. */
function writeCopy(database: DatabaseSync, copy: string, version: number): void {
  const draft = `${copy}.new`;
  if (!createPrivateFile(draft)) throw new Error("a file of that name exists");
  try {
    // VACUUM INTO takes an empty file as its target, so the copy is never readable by others, whatever the umask.
    database.prepare("VACUUM INTO ?").run(draft);
    verifyCopy(draft, version);
    syncPath(draft);
    renameSync(draft, copy);
    syncPath(dirname(copy));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** What a crash has left: drafts, and a configuration whose store was not copied any more or is removed already. */
function removeUnfinished(folder: string): void {
  const names = readdirSync(folder);
  const copies = new Set(names.map((name) => COPY_NAME.exec(name)?.[1]));
  const isUnfinished = (name: string) => {
    const of = CONFIG_NAME.exec(name)?.[1];
    return DRAFT_NAME.test(name) || (of !== undefined && !copies.has(of));
  };
  for (const name of names.filter(isUnfinished)) rmSync(join(folder, name), { recursive: true });
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
  const copies = readdirSync(folder).flatMap((name) => {
    const [, of, stamp] = COPY_NAME.exec(name) ?? [];
    return of === undefined || stamp === undefined ? [] : [{ of, stamp }];
  });
  copies.sort((left, right) => right.stamp.localeCompare(left.stamp));
  for (const { of } of copies.slice(KEPT)) removeCopy(folder, of);
}

/** The store first: a configuration without one counts as unfinished. */
function removeCopy(folder: string, of: string): void {
  rmSync(join(folder, `data-${of}.sqlite`), { force: true });
  rmSync(join(folder, `config-${of}`), { recursive: true, force: true });
}
