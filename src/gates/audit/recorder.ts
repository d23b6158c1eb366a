import { randomBytes } from "node:crypto";
import type { Clock } from "#platform/lib/clock.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { appendEntries } from "./chain.ts";
import { type ChainFacts, ChainKeeper } from "./chain-keeper.ts";
import { cutFront, type FrontCut, type FrontLimit } from "./front-cut.ts";
import { type AuditPage, type AuditQuestion, listRows } from "./list.ts";
import { PendingRows } from "./pending-rows.ts";
import type { AuditEntry, Refusal, TimedEntry } from "./record.ts";
import { RefusalCounter } from "./refusal-counter.ts";
import { Turns } from "./turns.ts";

/** Sums of refusals held in memory between flushes. */
const MAX_SUMS = 10_000;
/** Refusals of known callers that may wait for the store; a row is some 300 bytes. */
const MAX_PENDING_ROWS = 5_000;
/** Rows per transaction of a flush: a change waits for one such batch at most, never for a whole flood. */
const FLUSH_BATCH = 500;
/** Rows after which the chain is looked after without waiting for a flush. */
const ROWS_TO_KEEP_CHAIN = 1000;

/** Writes down what happened, each record chained to the one before it. */
export interface AuditRecorder {
  /**
   * Looks over where the chain ends, before anything is written: what was tampered with is recorded and logged, what
   * `leaveAuditNote` left is written.
   */
  start(): Promise<void>;
  /** Adds the entry within the caller's transaction: where it cannot be written, the change does not happen. */
  append(query: Query, entry: AuditEntry): Promise<void>;
  /**
   * Logs what holds although its record could not be written: a lock, a revocation. Whoever calls it goes on trying to write
   * both. Neither waits nor throws.
   */
  unwritten(entry: AuditEntry): void;
  /**
   * Notes a refusal or a failed change, in memory, and neither waits nor throws. Of a known caller each is a row of its
   * own, written soon; where too many wait, and always for an unknown caller, they are counted by address, route, minute.
   * `atMs`: when it was, milliseconds since the epoch; now unless given.
   */
  refusal(refusal: Refusal, atMs?: number): void;
  /** Writes what is noted: all rows, the counts of the minutes that are over. What cannot be written stays, and it throws. */
  flush(): Promise<void>;
  /** Writes all counted refusals, the running minute's too, and a checkpoint: for the end of the process. */
  close(): Promise<void>;
  /**
   * Removes some of the oldest rows, as `FrontCut` says, in one short transaction;
   * a checkpoint at the end of what stays is due then. Throws what the store throws.
   */
  cutFront(limit: FrontLimit): Promise<FrontCut>;
  /** One page of what fits, the newest first unless asked. Throws AppError `bad_request` for a foreign cursor. */
  list(asked: AuditQuestion): Promise<AuditPage>;
  /** Where the chain is now; undefined before it begins. */
  chain(): Promise<ChainFacts | undefined>;
}

/**
 * `secret`: what the chain is made with; without it one is made that ends with the process. `directory`: that of the store,
 * where it is also kept how far the chain has come; nowhere unless given. `log` is told what nobody else is.
 */
export function openAuditRecorder(parts: {
  readonly database: Database;
  readonly clock: Clock;
  readonly log?: Log;
  readonly secret?: Secret;
  readonly directory?: string;
  /** Whether refusals wait in memory, so that nobody fills with them what is kept for changes; never unless given. */
  readonly holdsRefusals?: () => boolean;
}): AuditRecorder {
  const { database, clock, log } = parts;
  const secret = parts.secret ?? new Secret(randomBytes(32).toString("base64url"));
  const keeper = new ChainKeeper(parts, secret, parts.directory);
  const counter = new RefusalCounter(MAX_SUMS);
  const pending = new PendingRows(MAX_PENDING_ROWS);
  // One flush after the other: two at once would take, and write, the same rows.
  const turns = new Turns();
  const isHolding = parts.holdsRefusals ?? (() => false);
  let crowded = 0;
  let unkept = 0;

  const append = async (query: Query, entries: readonly TimedEntry[]) => {
    await appendEntries(query, keeper.keys, entries);
    unkept += entries.length;
    if (unkept >= ROWS_TO_KEEP_CHAIN && !turns.busy) turns.run(keepChain).catch(() => {});
  };
  const write = async (take: () => { entries: TimedEntry[]; forget: () => void }) => {
    for (let batch = take(); batch.entries.length > 0; batch = take()) {
      const { entries } = batch;
      await database.transaction((query) => append(query, entries));
      batch.forget();
    }
  };
  const writeRows = () => write(() => pending.take(FLUSH_BATCH));
  const keepChain = async () => {
    unkept = 0;
    await keeper.keep();
  };
  const flushUntil = (nowMs: number, last: boolean) =>
    turns.run(async () => {
      if (crowded > 0)
        log?.warn({ rows: crowded }, "too many refusals at once: counted, not written one by one");
      crowded = 0;
      if (last || !isHolding()) {
        await writeRows();
        await write(() => counter.take(nowMs, FLUSH_BATCH));
      }
      await keeper.keep({ last });
    });
  // What the store refuses stays noted: the next flush tries again, and says why it fails.
  const soon = (work: () => Promise<void>) => void turns.run(work).catch(() => {});

  const note = (refusal: Refusal, now = clock.now()) => {
    if (refusal.actor === null) return counter.add(refusal, now);
    const { route, target = route, ...rest } = refusal;
    if (!pending.add({ ...rest, actor: refusal.actor, target, time: now, count: 1 })) {
      crowded += 1;
      return counter.add(refusal, now);
    }
    if (!turns.busy && !isHolding()) soon(writeRows);
  };

  return {
    start: () => turns.run(() => keeper.start()),
    append: (query, entry) => append(query, [{ ...entry, time: clock.now() }]),
    unwritten: ({ action, target, actor, requestId }) =>
      log?.warn(
        { name: action, detail: target ?? "", principal: actor, request_id: requestId ?? "" },
        "this holds, but could not be written down yet; it is tried again",
      ),
    refusal: note,
    flush: () => flushUntil(clock.now(), false),
    close: () => flushUntil(Number.POSITIVE_INFINITY, true),
    cutFront: (limit) =>
      database.transaction((query) => cutFront(query, keeper.keys, { ...limit, nowMs: clock.now() })),
    list: (asked) => listRows(database.query, asked),
    chain: () => keeper.facts(),
  };
}
