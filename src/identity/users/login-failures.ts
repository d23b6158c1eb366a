import type { Clock } from "#platform/lib/clock.ts";
import { AppError, type ErrorCode } from "#platform/lib/error.ts";
import { parseIp, unmapIp } from "#platform/lib/ip-address.ts";
import type { Database } from "#platform/storage/database.ts";
import { deleteFailure, type LoginFailure, readFailure, trimFailures, writeFailure } from "./store.ts";

const MOST_FAILURES = 10;
const LOCKED_MS = 60 * 60_000;
/** A row is some 60 bytes; whoever has so many networks to try from wins nothing by being forgotten. */
const MOST_ROWS = 65_536;
/** A household or a machine has a whole network of this many bytes of IPv6. */
const NETWORK_BYTES = 8;
/** What says that a password was wrong. */
const WRONG: ReadonlySet<ErrorCode> = new Set(["sign_in_refused", "wrong_password"]);

/**
 * Locks an address out for an hour when it got ten passwords wrong, none of them an hour after the one before. What is
 * counted is in the store before a try is judged, so that neither a restart nor many tries at once win anything.
 */
export class LoginFailures {
  readonly #parts: { readonly database: Database; readonly clock: Clock };

  constructor(parts: { readonly database: Database; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /**
   * What `work` gives. Throws what it throws; `sign_in_refused` and `wrong_password` count against the address. AppError
   * `rate_limited`, with `work` not begun, where that is locked out.
   */
  async run<Result>(address: string | null, work: () => Promise<Result>): Promise<Result> {
    const network = networkOf(address);
    await this.#begin(network);
    try {
      const result = await work();
      await this.#takeBack(network);
      return result;
    } catch (error) {
      if (!(error instanceof AppError && WRONG.has(error.code))) await this.#takeBack(network);
      throw error;
    }
  }

  /** One after the other, and written when it settles: of many tries at once each sees those before it. */
  async #begin(network: string): Promise<void> {
    const { database, clock } = this.#parts;
    const waitMs = await database.transaction(async (query) => {
      const nowMs = clock.now();
      const before = await readFailure(query, network);
      const leftMs = (before?.locked_until ?? 0) - nowMs;
      if (before !== undefined && leftMs > LOCKED_MS) {
        // The clock was set back, perhaps by years: an hour from now on is enough.
        await writeFailure(query, { ...before, last_at: nowMs, locked_until: nowMs + LOCKED_MS });
        return LOCKED_MS;
      }
      if (leftMs > 0) return leftMs;
      await writeFailure(query, oneMore(before, network, nowMs));
      await trimFailures(query, MOST_ROWS, nowMs - LOCKED_MS);
      return 0;
    });
    if (waitMs <= 0) return;
    const words = "Too many passwords from this address were wrong.";
    throw new AppError("rate_limited", words, { retryAfterS: Math.ceil(waitMs / 1000) });
  }

  /** What was done is done: a count that cannot be corrected is forgotten in an hour. */
  async #takeBack(network: string): Promise<void> {
    const lessen = async (query: Parameters<typeof readFailure>[0]) => {
      const known = await readFailure(query, network);
      if (known === undefined) return;
      if (known.failures <= 1) return deleteFailure(query, network);
      await writeFailure(query, { ...known, failures: known.failures - 1, locked_until: 0 });
    };
    await this.#parts.database.transaction(lessen).catch(() => {});
  }
}

/** Those before count no more once an hour went by without one, or the lock they led to is over. */
function oneMore(before: LoginFailure | undefined, network: string, nowMs: number): LoginFailure {
  const isOver = before === undefined || before.locked_until > 0 || nowMs - before.last_at >= LOCKED_MS;
  const failures = isOver ? 1 : before.failures + 1;
  const lockedUntil = failures >= MOST_FAILURES ? nowMs + LOCKED_MS : 0;
  return { network, failures, last_at: nowMs, locked_until: lockedUntil };
}

function networkOf(address: string | null): string {
  if (address === null) return "here";
  const read = parseIp(address);
  if (read === undefined) return address;
  const bytes = unmapIp(read);
  return Buffer.from(bytes.slice(0, bytes.length === 4 ? 4 : NETWORK_BYTES)).toString("hex");
}
