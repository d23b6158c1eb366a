import type { MessagePort } from "node:worker_threads";
import type { Kysely, Transaction } from "kysely";
import type { Rows } from "./insert-rows.ts";
import type { Tables } from "./tables.ts";

export type Query = Kysely<Tables> | Transaction<Tables>;

/** The storage port. A second kind of database must pass the same contract tests unchanged. */
export interface Database extends AsyncDisposable {
  /** Typed queries, each its own implicit transaction. */
  readonly query: Kysely<Tables>;
  /** All of `work` or nothing; concurrent transactions are serialised. `work` may run again, where room was made for it. A full disk is AppError `storage_full`. */
  transaction<T>(work: (query: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Many rows of one table in one transaction; columns are those of the first row. Numbers become what their columns are. */
  insertRows<Name extends keyof Tables>(table: Name, rows: Rows<Name>): Promise<void>;
  /**
   * Leaves in the files only what the tables hold: rewrites the store without what was deleted or replaced, and empties
   * the write-ahead log. Takes as long as writing the whole store; nothing else is answered meanwhile.
   */
  compact(): Promise<void>;
  /**
   * Gives a little of what the file holds free back to the file system; false when there is nothing left to give. Takes a few
   * milliseconds. What little the next rows need stays.
   */
  shrink(): Promise<boolean>;
  /**
   * What another thread needs to insert rows by itself (`attachRowWriter`), between the transactions of this one. It is
   * to be transferred to that thread.
   */
  openRowPort(): Promise<MessagePort>;
  close(): Promise<void>;
}

export type SqlValue = string | number | Uint8Array | null;
