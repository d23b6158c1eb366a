import type { Clock } from "#platform/lib/clock.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { AuditEntry, Refusal } from "./record.ts";
import { RefusalCounter } from "./refusal-counter.ts";
import { type AuditPage, appendEntries, listEntries } from "./store.ts";

/** Sums of refusals held in memory between flushes. */
const MAX_SUMS = 10_000;
/** Rows per transaction of a flush: a change waits for one such batch at most, never for a whole flood. */
const FLUSH_BATCH = 500;

/** Writes down what happened. */
export interface AuditRecorder {
  /** Adds the entry within the caller's transaction: where it cannot be written, the change does not happen. */
  append(query: Query, entry: AuditEntry): Promise<void>;
  /** Counts a refusal of an unknown caller, in memory: refused traffic writes nothing and waits for nothing. */
  refusal(refusal: Refusal): void;
  /** Writes the refusals of the minutes that are over. What cannot be written stays counted, and it throws. */
  flush(): Promise<void>;
  /** Writes all counted refusals, the running minute's too: for the end of the process. */
  close(): Promise<void>;
  /** One page, newest first. Throws AppError `bad_request` for a foreign cursor. */
  list(page: { readonly limit: number; readonly cursor: string | undefined }): Promise<AuditPage>;
}

export function openAuditRecorder(parts: {
  readonly database: Database;
  readonly clock: Clock;
}): AuditRecorder {
  const { database, clock } = parts;
  const counter = new RefusalCounter(MAX_SUMS);
  let writing: Promise<void> = Promise.resolve();

  const writeUntil = async (nowMs: number) => {
    for (;;) {
      const { entries, forget } = counter.take(nowMs, FLUSH_BATCH);
      if (entries.length === 0) return;
      await database.transaction((query) => appendEntries(query, entries));
      forget();
    }
  };
  // One flush after the other: two at once would take, and write, the same sums.
  const flushUntil = (nowMs: number) => {
    const mine = writing.then(() => writeUntil(nowMs));
    writing = mine.catch(() => {});
    return mine;
  };

  return {
    append: (query, entry) => appendEntries(query, [{ ...entry, time: clock.now() }]),
    refusal: (refusal) => counter.add(refusal, clock.now()),
    flush: () => flushUntil(clock.now()),
    close: () => flushUntil(Number.POSITIVE_INFINITY),
    list: (page) => listEntries(database.query, page),
  };
}
