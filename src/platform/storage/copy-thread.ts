import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { isDiskFull, sqliteCode } from "./sqlite-code.ts";
import type { CopyResult, CopyStart } from "./store-copy.ts";

const BUSY_TIMEOUT_MS = 5000;

if (parentPort !== null) parentPort.postMessage(copy(workerData));

/** VACUUM INTO reads one snapshot, however long it takes, and leaves out what was deleted. */
function copy({ from, to }: CopyStart): CopyResult {
  try {
    // Not for reading alone: such a connection, where it is the last, leaves files of the log behind, of whoever it ran as.
    const source = new DatabaseSync(from, { timeout: BUSY_TIMEOUT_MS });
    try {
      source.prepare("VACUUM INTO ?").run(to);
      return { kind: "copied" };
    } finally {
      source.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason, full: isDiskFull(sqliteCode(error)) };
  }
}
