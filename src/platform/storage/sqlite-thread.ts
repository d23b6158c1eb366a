import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type MessagePort, parentPort } from "node:worker_threads";
import { AppError, StartError } from "#platform/lib/error.ts";
import { ThreadCalls } from "#platform/threads/thread-calls.ts";
import type { SqlValue } from "./database.ts";
import { placesFor, type RowsToInsert } from "./insert-rows.ts";
import { Intervals } from "./intervals.ts";
import type { Inserted } from "./row-port.ts";
import { runStatement } from "./run-statement.ts";
import { isDiskFull, sqliteCode } from "./sqlite-code.ts";
import type { Message, Outcome, Request, ThreadStart, Work } from "./sqlite-protocol.ts";
import { openStore, type Store } from "./sqlite-store.ts";

const NOTHING: Outcome = { rows: [], changes: 0 };
const PREPARED_MAX = 256;
/** Free pages that stay in the file for the next rows: 1 MiB. */
const SPARE_PAGES = 256;
const PAGES_AT_ONCE = 64;
/** Rows of one statement: to run it once for each takes a quarter more. */
const ROWS_AT_ONCE = 10;

const toMain = parentPort;
// Which store, the first message tells.
toMain?.once("message", (start: ThreadStart) => serve(toMain, start));

/** The only code that talks to SQLite while the server runs. Works off one request after another. */
function serve(port: MessagePort, start: ThreadStart): void {
  const reply = (message: Message) => port.postMessage(message);
  let store: Store;
  try {
    store = openStore(start);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    reply({ kind: "refused", message: error.message, exitCode: error.exitCode });
    return;
  }
  const prepare = statementCache(store.database);
  const betweenTransactions = new Intervals(store.database);
  const writers = new Set<MessagePort>();
  const join = (writer: MessagePort) => {
    writers.add(writer);
    writer.on("close", () => writers.delete(writer));
    serveWriter(writer, { database: store.database, prepare, betweenTransactions });
  };
  port.on("message", ({ id, ...work }: Request) => {
    try {
      if (work.op === "join") join(work.port);
      const outcome = work.op === "join" ? NOTHING : perform(work, store, prepare);
      betweenTransactions.look();
      reply({ kind: "done", id, outcome });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply({ kind: "failed", id, failure: { message, code: sqliteCode(error) } });
    }
    if (work.op === "close") for (const end of [port, ...writers]) end.close();
  });
  reply({ kind: "ready" });
}

/** Rows of another thread: in transactions of their own, never within one of the main thread's. */
function serveWriter(
  port: MessagePort,
  parts: {
    database: DatabaseSync;
    prepare: (sql: string) => StatementSync;
    betweenTransactions: Intervals;
  },
): void {
  const { database, prepare, betweenTransactions } = parts;
  const calls = new ThreadCalls<never, never, RowsToInsert, Inserted>(port, async (insert) => {
    while (database.isTransaction) await betweenTransactions.next();
    try {
      insertAll(database, prepare, insert);
    } catch (error) {
      throw isDiskFull(sqliteCode(error)) ? new AppError("storage_full") : error;
    }
    return { kind: "inserted" };
  });
  port.on("message", calls.receive);
}

function perform(
  work: Exclude<Work, { readonly op: "join" }>,
  store: Store,
  prepare: (sql: string) => StatementSync,
): Outcome {
  const { database } = store;
  switch (work.op) {
    case "statement":
      return runStatement(prepare(work.sql), work.parameters);
    case "insert":
      return insertAll(database, prepare, work);
    case "begin":
      database.exec("BEGIN IMMEDIATE");
      return NOTHING;
    case "commit":
      database.exec("COMMIT");
      return NOTHING;
    case "rollback":
      rollBack(database);
      return NOTHING;
    case "compact":
      compact(database);
      return NOTHING;
    case "checkpoint":
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      return NOTHING;
    case "shrink":
      return { rows: [], changes: shrink(database) };
    case "close":
      store.close();
      return NOTHING;
    default:
      return work satisfies never;
  }
}

function insertAll(
  database: DatabaseSync,
  prepare: (sql: string) => StatementSync,
  { into, columns }: RowsToInsert,
): Outcome {
  const rows = columns[0]?.length ?? 0;
  const last = rows % ROWS_AT_ONCE;
  const insert = (from: number, to: number, atOnce: number) => {
    if (from === to) return;
    const statement = prepare(into + placesFor(atOnce, columns.length));
    for (let row = from; row < to; row += atOnce) statement.run(...valuesOf(columns, row, row + atOnce));
  };
  database.exec("BEGIN IMMEDIATE");
  try {
    insert(0, rows - last, ROWS_AT_ONCE);
    insert(rows - last, rows, 1);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
  return { rows: [], changes: rows };
}

/** Row for row. A number is bound as a float: the type of its column makes a whole one an integer again. */
function valuesOf(columns: RowsToInsert["columns"], from: number, to: number): SqlValue[] {
  const values: SqlValue[] = [];
  for (let row = from; row < to; row++) for (const column of columns) values.push(column[row] ?? null);
  return values;
}

/** The log first, so that the rewriting starts from one file; and last, since it went through the log. */
function compact(database: DatabaseSync): void {
  emptyLog(database);
  database.exec("VACUUM");
  emptyLog(database);
}

/** The file is cut when the log is next moved into it. */
function shrink(database: DatabaseSync): number {
  const before = freePages(database);
  const pages = Math.min(PAGES_AT_ONCE, before - SPARE_PAGES);
  if (pages <= 0) return 0;
  database.exec(`PRAGMA incremental_vacuum(${pages})`);
  return before - freePages(database);
}

function freePages(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA freelist_count").get()?.freelist_count);
}

function emptyLog(database: DatabaseSync): void {
  const busy = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy;
  if (busy !== 0) throw new Error("the write-ahead log is being read and cannot be emptied now");
}

/** A full disk makes SQLite roll back by itself; then there is nothing left to roll back. */
function rollBack(database: DatabaseSync): void {
  if (database.isTransaction) database.exec("ROLLBACK");
}

function statementCache(database: DatabaseSync): (sql: string) => StatementSync {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    // Texts with lists of varying length would fill it without end; starting over is cheap and needs no bookkeeping.
    if (prepared.size >= PREPARED_MAX) prepared.clear();
    const statement = database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
}
