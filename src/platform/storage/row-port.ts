import type { MessagePort } from "node:worker_threads";
import { ThreadCalls } from "#platform/threads/thread-calls.ts";
import type { Database } from "./database.ts";
import { type RowsToInsert, rowsToInsert } from "./insert-rows.ts";

export interface Inserted {
  readonly kind: "inserted";
}

/** A thread's own way to put rows into the store, past the main thread. */
export interface RowWriter extends Pick<Database, "insertRows"> {
  close(): void;
}

/** Makes one of the port that `Database.openRowPort` gave, in the thread that it was handed to. */
export function attachRowWriter(port: MessagePort): RowWriter {
  const calls = new ThreadCalls<RowsToInsert, Inserted, never, never>(port, refuse);
  port.on("message", calls.receive);
  return {
    insertRows: async (table, rows) => {
      const insert = rowsToInsert(table, rows);
      if (insert !== undefined) await calls.ask(insert, "inserted");
    },
    close: () => port.close(),
  };
}

function refuse(): never {
  throw new Error("the storage thread asks nothing");
}
