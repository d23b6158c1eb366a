import { statSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { AppError } from "#platform/lib/error.ts";
import { createPrivateFile } from "./private-file.ts";

/** What the copying thread is started with. */
export interface CopyStart {
  readonly from: string;
  readonly to: string;
}

/** How the copying thread ended; `full`: for want of room. */
export type CopyResult =
  | { readonly kind: "copied" }
  | { readonly kind: "failed"; readonly reason: string; readonly full: boolean };

/**
 * Writes the store of a data directory, as it is at one moment, to a new file of mode 0600, which needs no other file
 * beside it. It reads on a thread and a connection of its own, so that nothing that goes on waits for it; the
 * write-ahead log only grows meanwhile. AppError `storage_full` where there is no room.
 */
export async function copyStore(dataDir: string, to: string): Promise<void> {
  if (!createPrivateFile(to)) throw new Error(`${to} exists`);
  const result = await runCopy({ from: storePath(dataDir), to });
  if (result.kind === "copied") return;
  const detail = `the store could not be copied: ${result.reason}`;
  throw new AppError(result.full ? "storage_full" : "internal", undefined, { detail });
}

/** Bytes of the store of a data directory, its log among them: at most what a copy takes. */
export function storeBytes(dataDir: string): number {
  const sizes = ["", "-wal"].map(
    (end) => statSync(storePath(dataDir) + end, { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function storePath(dataDir: string): string {
  return join(dataDir, "db", "data.sqlite");
}

function runCopy(start: CopyStart): Promise<CopyResult> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./copy-thread.ts", import.meta.url), { workerData: start });
    thread.once("message", (result: CopyResult) => resolve(result));
    thread.once("error", reject);
    thread.once("exit", () => reject(new Error("the copying thread ended without a word")));
  });
}
