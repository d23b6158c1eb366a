import type { MessagePort } from "node:worker_threads";
import type { ConfigPlaces } from "./config-copy.ts";
import type { SqlValue } from "./database.ts";
import type { RowsToInsert } from "./insert-rows.ts";
import type { NumberedMigration } from "./migrate.ts";

/** What the thread is started with; everything in it can be structurally cloned. */
export interface ThreadStart {
  dataDir: string;
  migrations: readonly NumberedMigration[];
  /** Free bytes on the data directory's file system when the program started. */
  freeBytes: number;
  nowMs: number;
  /** What is copied along before an upgrade. */
  config?: ConfigPlaces | undefined;
}

export type Work =
  | { op: "statement"; sql: string; parameters: readonly SqlValue[] }
  | ({ op: "insert" } & RowsToInsert)
  | { op: "begin" }
  | { op: "commit" }
  | { op: "rollback" }
  /** Leaves nothing of what was deleted or replaced, in the file or its log. */
  | { op: "compact" }
  /** Moves the write-ahead log into the file, as far as nobody reads it. */
  | { op: "checkpoint" }
  /** Gives some free pages back; answers how many. */
  | { op: "shrink" }
  /** Another thread wants to insert rows, through this port. */
  | { op: "join"; port: MessagePort }
  | { op: "close" };

export type Request = { id: number } & Work;

export interface Outcome {
  rows: readonly unknown[];
  changes: number;
}

/** `code` is SQLite's extended result code (sqlite.org/rescode.html), undefined when the error is not SQLite's. */
export interface Failure {
  message: string;
  code: number | undefined;
}

export type Message =
  | { kind: "ready" }
  | { kind: "refused"; message: string; exitCode: number }
  | { kind: "done"; id: number; outcome: Outcome }
  | { kind: "failed"; id: number; failure: Failure };
