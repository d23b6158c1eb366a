import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { parseIp, unmapIp } from "#platform/lib/ip-address.ts";
import type { Database } from "#platform/storage/database.ts";
import { deleteTries, readTries, trimTries, writeTries } from "./tries-store.ts";

/** Someone's tries of the server key that were not right; times in milliseconds since the Unix epoch. */
export interface TryRecord {
  /** So many were wrong since the last right one. */
  readonly wrong: number;
  /** When the last of these was. */
  readonly lastMs: number;
  /** So many were made since `sinceMs`, those that were refused unjudged too. */
  readonly tries: number;
  readonly sinceMs: number;
}

const FREE_TRIES = 3;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
const MOST_TRIES = 30;
const WINDOW_MS = 15 * 60_000;
/** By then neither the delay nor the window of a try is left. */
const FORGET_MS = WINDOW_MS + LONGEST_DELAY_MS;
/** A row is some 100 bytes; whoever has so many addresses to try from wins nothing by being forgotten. */
const MOST_ROWS = 4096;
/** A household or a machine has a whole network of this many bytes of IPv6. */
const NETWORK_BYTES = 8;

/** What a try at `nowMs` makes of what was known: one more that counts as wrong, or one that has to wait. */
function judgeTry(
  before: TryRecord | undefined,
  nowMs: number,
): { readonly record: TryRecord; readonly waitMs: number } {
  const known = before === undefined || nowMs - before.lastMs >= FORGET_MS ? newRecord(nowMs) : before;
  // A clock that was set back makes nobody wait longer than from now on.
  const lastMs = Math.min(known.lastMs, nowMs);
  const begun = Math.min(known.sinceMs, nowMs);
  const isOver = nowMs - begun >= WINDOW_MS;
  const [tries, sinceMs] = isOver ? [0, nowMs] : [known.tries, begun];
  const record = { wrong: known.wrong, lastMs, tries, sinceMs };
  if (tries >= MOST_TRIES) return { record, waitMs: sinceMs + WINDOW_MS - nowMs };
  const counted = { ...record, tries: tries + 1 };
  const waitMs = lastMs + delayAfter(known.wrong) - nowMs;
  if (waitMs > 0) return { record: counted, waitMs };
  return { record: { ...counted, wrong: known.wrong + 1, lastMs: nowMs }, waitMs: 0 };
}

/**
 * Slows down tries of the server key, by who makes them and from where: three are free, then each has to wait for 1, 2,
 * 4 up to 60 seconds after the one before, and 30 in 15 minutes are all. What is counted is in the store before a try is
 * judged, so that neither a restart nor many tries at once win anything.
 */
export class KeyTries {
  readonly #parts: { readonly database: Database; readonly clock: Clock };

  constructor(parts: { readonly database: Database; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /**
   * What `work` gives. Throws what it throws; only `wrong_key` counts against `by`, and what ends well clears him.
   * AppError `rate_limited`, with `work` not begun, for one who has to wait.
   */
  async run<Result>(by: ChangeAuthor, work: () => Promise<Result>): Promise<Result> {
    const who = `${callerId(by.principal)} ${networkOf(by.address)}`;
    await this.#begin(who);
    try {
      const result = await work();
      await this.#settle((query) => deleteTries(query, who));
      return result;
    } catch (error) {
      if (!(error instanceof AppError && error.code === "wrong_key"))
        await this.#settle((query) => takeBack(query, who));
      throw error;
    }
  }

  /** One after the other, and written when it settles: of many tries at once each sees those before it. */
  async #begin(who: string): Promise<void> {
    const { database, clock } = this.#parts;
    const waitMs = await database.transaction(async (query) => {
      const nowMs = clock.now();
      const judged = judgeTry(await readTries(query, who), nowMs);
      await writeTries(query, who, judged.record);
      await trimTries(query, MOST_ROWS, nowMs - FORGET_MS);
      return judged.waitMs;
    });
    if (waitMs <= 0) return;
    const retryAfterS = Math.ceil(waitMs / 1000);
    const words = `Too many tries of the server key; the next one may be made in ${retryAfterS} s.`;
    throw new AppError("rate_limited", words, { retryAfterS });
  }

  /** What was done is done: a count that cannot be corrected is forgotten in a quarter of an hour. */
  async #settle(change: Parameters<Database["transaction"]>[0]): Promise<void> {
    await this.#parts.database.transaction(change).catch(() => {});
  }
}

async function takeBack(query: Parameters<typeof readTries>[0], who: string): Promise<void> {
  const known = await readTries(query, who);
  if (known === undefined) return;
  const less = { wrong: Math.max(0, known.wrong - 1), tries: Math.max(0, known.tries - 1) };
  await writeTries(query, who, { ...known, ...less });
}

function newRecord(nowMs: number): TryRecord {
  return { wrong: 0, lastMs: nowMs, tries: 0, sinceMs: nowMs };
}

/** How long after a wrong try the next one may be made, when so many were wrong. */
function delayAfter(wrong: number): number {
  if (wrong < FREE_TRIES) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (wrong - FREE_TRIES));
}

function networkOf(address: string | null): string {
  if (address === null) return "here";
  const read = parseIp(address);
  if (read === undefined) return address;
  const bytes = unmapIp(read);
  return Buffer.from(bytes.slice(0, bytes.length === 4 ? 4 : NETWORK_BYTES)).toString("hex");
}
