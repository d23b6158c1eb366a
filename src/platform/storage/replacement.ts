import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import { syncPath } from "#platform/lib/file.ts";

/** Which files of a data directory are to be replaced. */
export interface ReplacementPlan {
  /** What comes in, as paths below the data directory. */
  readonly incoming: readonly string[];
  /** What makes room for it, where it is there. */
  readonly leaving: readonly string[];
  /** The directory, below the data directory, to which that goes. */
  readonly aside: string;
}

/** What a replacement does to the disk, handed in so that tests can let it stop at any step. */
export type Rename = (from: string, to: string) => void;

/** Where the files that are to come in are put together, by their paths below the data directory. Made empty, 0700. */
export function stageReplacement(dataDir: string): string {
  discardStaged(dataDir);
  const files = join(stagedIn(dataDir), "files");
  mkdirSync(files, { recursive: true, mode: 0o700 });
  return files;
}

/** Removes what was staged and not committed, and their directory where it holds nothing else. */
export function discardStaged(dataDir: string): void {
  rmSync(stagedIn(dataDir), { recursive: true, force: true });
  removeIfEmpty(join(dataDir, "restore"));
}

/**
 * Puts what was staged in place, wholly or not at all: one rename decides it. Before it nothing has changed; after it
 * `finishReplacement` does the rest, now or at the next start. To be called under the lock of the directory.
 */
export function commitReplacement(dataDir: string, plan: ReplacementPlan, rename: Rename = renameSync): void {
  const staged = stagedIn(dataDir);
  writeFileSync(join(staged, "plan.json"), JSON.stringify(plan), { mode: 0o600 });
  const places = [...plan.incoming, ...plan.leaving.map((path) => join(plan.aside, path))];
  for (const path of places) mkdirSync(dirname(join(dataDir, path)), { recursive: true, mode: 0o700 });
  syncTree(staged);
  syncParents(dataDir, places);
  rename(staged, readyIn(dataDir));
  syncPath(join(dataDir, "restore"));
}

/**
 * Finishes a replacement that was decided, and removes one that was not; gives the paths that came in. Under the lock
 * of the directory, before anything in it is opened. Safe to repeat after a crash at any step.
 */
export function finishReplacement(dataDir: string, rename: Rename = renameSync): readonly string[] {
  const ready = readyIn(dataDir);
  discardStaged(dataDir);
  const plan = readPlan(ready);
  if (plan !== undefined) {
    moveAside(dataDir, plan, rename);
    for (const path of plan.incoming) moveIn(join(ready, "files", path), join(dataDir, path), rename);
    syncParents(dataDir, plan.incoming);
  }
  rmSync(ready, { recursive: true, force: true });
  removeIfEmpty(join(dataDir, "restore"));
  return plan?.incoming ?? [];
}

/** All of it before anything comes in: an old write-ahead log beside a new database would be read as a part of it. */
function moveAside(dataDir: string, plan: ReplacementPlan, rename: Rename): void {
  for (const path of plan.leaving) {
    const cameIn = plan.incoming.includes(path) && !existsSync(join(readyIn(dataDir), "files", path));
    if (!cameIn) moveIn(join(dataDir, path), join(dataDir, plan.aside, path), rename);
  }
  syncParents(dataDir, [...plan.leaving, ...plan.leaving.map((path) => join(plan.aside, path))]);
}

function moveIn(from: string, to: string, rename: Rename): void {
  if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) rename(from, to);
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}

function readPlan(ready: string): ReplacementPlan | undefined {
  const path = join(ready, "plan.json");
  if (!existsSync(path)) return undefined;
  const unreadable = (cause?: unknown) =>
    new StartError(`${path} cannot be read; a restore was not finished. Restore the backup again.`, {
      cause,
    });
  let plan: unknown;
  try {
    plan = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw unreadable(cause);
  }
  if (!isPlan(plan)) throw unreadable();
  return plan;
}

/** By hand: the storage thread reads it, and would load a library for shapes for this alone. */
function isPlan(value: unknown): value is ReplacementPlan {
  const shape: { readonly [Member in keyof ReplacementPlan]?: unknown } =
    typeof value === "object" ? { ...value } : {};
  return isPaths(shape.incoming) && isPaths(shape.leaving) && typeof shape.aside === "string";
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string");
}

function stagedIn(dataDir: string): string {
  return join(dataDir, "restore", "staged");
}

function readyIn(dataDir: string): string {
  return join(dataDir, "restore", "ready");
}

function syncParents(dataDir: string, paths: readonly string[]): void {
  for (const directory of new Set(paths.map((path) => dirname(join(dataDir, path)))))
    if (existsSync(directory)) syncPath(directory);
}

function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else syncPath(path);
  }
  syncPath(directory);
}
