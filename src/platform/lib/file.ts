import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "./error.ts";

type DurableHandle = Pick<FileHandle, "chmod" | "writeFile" | "sync" | "close">;

/** How files are opened, handed in so that tests can let a disk be full. */
export type OpenFile = (path: string, flags: string, mode?: number) => Promise<DurableHandle>;

/**
 * Puts `bytes` at `path` with exactly `mode`, whole or not at all, also over a power cut; an older file is replaced.
 * Leaves no temporary file upon an error. A full disk is AppError `storage_full`.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
  openFile: OpenFile = open,
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await writeNew(temporary, bytes, mode, openFile);
    await rename(temporary, path);
    await syncDirectory(directory, openFile);
  } catch (error) {
    await rm(temporary, { force: true });
    throw isDiskFull(error) ? new AppError("storage_full", undefined, { cause: error }) : error;
  }
}

/** Makes the names in `directory` outlive a power cut: a rename is in its directory, not in the file. */
export async function syncDirectory(directory: string, openFile: OpenFile = open): Promise<void> {
  const handle = await openFile(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What is in a file, or which names are in a directory, outlives a power cut from here on. Throws what the system says. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function writeNew(path: string, bytes: Uint8Array, mode: number, openFile: OpenFile): Promise<void> {
  const handle = await openFile(path, "wx", mode);
  try {
    // The mode given to open() is cut by the umask.
    await handle.chmod(mode);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
