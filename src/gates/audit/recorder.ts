import type { Clock } from "#platform/lib/clock.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { PendingRows } from "./pending-rows.ts";
import type { AuditEntry, Refusal } from "./record.ts";
import { RefusalCounter } from "./refusal-counter.ts";
import { type AuditPage, appendEntries, listEntries, type TimedEntry } from "./store.ts";

/** Sums of refusals held in memory between flushes. */
const MAX_SUMS = 10_000;
/** Refusals of known callers that may wait for the store; a row is some 300 bytes. */
const MAX_PENDING_ROWS = 5_000;
/** Rows per transaction of a flush: a change waits for one such batch at most, never for a whole flood. */
const FLUSH_BATCH = 500;

/** Writes down what happened. */
export interface AuditRecorder {
  /** Adds the entry within the caller's transaction: where it cannot be written, the change does not happen. */
  append(query: Query, entry: AuditEntry): Promise<void>;
  /**
   * Notes a refusal or a failed change, in memory, and neither waits nor throws. Of a known caller each is a row of its
   * own, written soon; where too many wait, and always for an unknown caller, they are counted by address, route, minute.
   * `atMs`: when it was, milliseconds since the epoch; now unless given.
   */
  refusal(refusal: Refusal, atMs?: number): void;
  /** Writes what is noted: all rows, the counts of the minutes that are over. What cannot be written stays, and it throws. */
  flush(): Promise<void>;
  /** Writes all counted refusals, the running minute's too: for the end of the process. */
  close(): Promise<void>;
  /** One page, newest first. Throws AppError `bad_request` for a foreign cursor. */
  list(page: { readonly limit: number; readonly cursor: string | undefined }): Promise<AuditPage>;
}

export function openAuditRecorder(parts: {
  readonly database: Database;
  readonly clock: Clock;
  /** Told when refusals had to be counted instead of being written one by one. */
  readonly log?: Log;
}): AuditRecorder {
  const { database, clock, log } = parts;
  const counter = new RefusalCounter(MAX_SUMS);
  const pending = new PendingRows(MAX_PENDING_ROWS);
  // One flush after the other: two at once would take, and write, the same rows.
  const turns = new Turns();
  let crowded = 0;

  const write = async (take: () => { entries: TimedEntry[]; forget: () => void }) => {
    for (let batch = take(); batch.entries.length > 0; batch = take()) {
      const { entries } = batch;
      await database.transaction((query) => appendEntries(query, entries));
      batch.forget();
    }
  };
  const writeRows = () => write(() => pending.take(FLUSH_BATCH));
  const flushUntil = (nowMs: number) =>
    turns.run(async () => {
      if (crowded > 0)
        log?.warn({ rows: crowded }, "too many refusals at once: counted, not written one by one");
      crowded = 0;
      await writeRows();
      await write(() => counter.take(nowMs, FLUSH_BATCH));
    });

  const note = (refusal: Refusal, now = clock.now()) => {
    if (refusal.actor === null) return counter.add(refusal, now);
    const { route, target = route, ...rest } = refusal;
    if (!pending.add({ ...rest, actor: refusal.actor, target, time: now, count: 1 })) {
      crowded += 1;
      return counter.add(refusal, now);
    }
    // What the store refuses stays pending: the next flush tries again, and says why it fails.
    if (!turns.busy) turns.run(writeRows).catch(() => {});
  };

  return {
    append: (query, entry) => appendEntries(query, [{ ...entry, time: clock.now() }]),
    refusal: note,
    flush: () => flushUntil(clock.now()),
    close: () => flushUntil(Number.POSITIVE_INFINITY),
    list: (page) => listEntries(database.query, page),
  };
}

/** Runs one piece of work after the other, whether the one before ended well or not. */
class Turns {
  #last: Promise<void> | undefined;

  get busy(): boolean {
    return this.#last !== undefined;
  }

  run(work: () => Promise<void>): Promise<void> {
    const mine = (this.#last ?? Promise.resolve()).then(work);
    const settled: Promise<void> = mine
      .catch(() => {})
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
    return mine;
  }
}
