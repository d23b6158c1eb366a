import type { UsedAmount } from "#platform/http/ports.ts";
import { draw, holdsOne, refill } from "./bucket.ts";
import type { KeyLimits } from "./key-limits.ts";
import { type LimiterMemory, OF_THREAD, RECORD, recordStart, USED_WORD } from "./limiter-memory.ts";
import { toNano } from "./nano-usd.ts";
import type { Hindrance, Seen } from "./seen.ts";
import { SpinLocks } from "./spin-lock.ts";
import { Calendar, type Period, roll, turnOf, use, usedOf } from "./window.ts";

/** What was set aside of a record, and of which day and month. */
export interface Reserve extends UsedAmount {
  readonly dayTurn: number;
  readonly monthTurn: number;
}

/**
 * The records of all principals as one thread reaches them. Each step looks at all limits it concerns and takes from
 * all or none, under the record's lock, within which nothing waits or throws.
 */
export class LimitRecords {
  readonly #memory: LimiterMemory;
  readonly #thread: number;
  readonly #cells: Float64Array;
  readonly #words: Int32Array;
  readonly #locks: SpinLocks;
  readonly #calendar = new Calendar();

  constructor(memory: LimiterMemory, thread: number) {
    if (thread >= memory.threads) throw new RangeError("the limiter's memory has no room for this thread");
    this.#memory = memory;
    this.#thread = thread;
    // With lengths of their own: views that follow the length of a buffer that may grow are ten times as slow.
    const cells = recordStart(memory, memory.principals);
    this.#cells = new Float64Array(memory.buffer, 0, cells);
    this.#words = new Int32Array(memory.buffer, 0, cells * 2);
    this.#locks = new SpinLocks(this.#words, thread);
  }

  /** Takes one of the requests a minute and one place among those that run at once; or neither. */
  enter(slot: number, limits: KeyLimits, nowMs: number): Seen {
    const cells = this.#cells;
    const { concurrency, requests_per_minute: size } = limits;
    const at = this.#acquire(slot);
    const lacks = size === undefined ? 0 : refill(cells, at + RECORD.requests, size, nowMs);
    const tokensLack = this.#tokensLack(at, limits, nowMs);
    let hindrance: Hindrance | undefined;
    if (concurrency !== undefined && this.#sum(at, OF_THREAD.running) >= concurrency)
      hindrance = "concurrency";
    else if (size !== undefined && !holdsOne(size, lacks)) hindrance = "requests";
    else {
      if (size !== undefined) draw(cells, at + RECORD.requests, 1);
      this.#add(at, OF_THREAD.running, 1);
    }
    const requestsLack = cells[at + RECORD.requests] ?? 0;
    this.#release(at);
    return { hindrance, requestsLack, tokensLack };
  }

  /** Sets aside what a request may use of tokens and spend; where it may not, gives its place in the minute back. */
  reserve(slot: number, limits: KeyLimits, most: UsedAmount, nowMs: number): Seen & { reserve: Reserve } {
    const cells = this.#cells;
    const day = this.#calendar.day(nowMs);
    const month = this.#calendar.month(nowMs);
    const at = this.#acquire(slot);
    const size = limits.requests_per_minute;
    if (size !== undefined) refill(cells, at + RECORD.requests, size, nowMs);
    this.#tokensLack(at, limits, nowMs);
    this.#roll(at, day, month, nowMs);
    const hindrance = this.#hindrance(at, limits);
    if (hindrance === undefined) {
      if (limits.tokens_per_minute !== undefined) draw(cells, at + RECORD.tokens, most.tokens);
      this.#add(at, OF_THREAD.day, most.tokens);
      this.#add(at, OF_THREAD.month, most.nanoUsd);
    } else if (size !== undefined) draw(cells, at + RECORD.requests, -1);
    const dayTurn = turnOf(cells, at + RECORD.day);
    const monthTurn = turnOf(cells, at + RECORD.month);
    const requestsLack = cells[at + RECORD.requests] ?? 0;
    const tokensLack = cells[at + RECORD.tokens] ?? 0;
    this.#release(at);
    return { hindrance, requestsLack, tokensLack, reserve: { ...most, dayTurn, monthTurn } };
  }

  /**
   * Puts what was used in the place of what was set aside, or in the place of a settlement of that size before. What
   * belongs to a day or month gone by is gone with it.
   */
  settle(
    slot: number,
    limits: KeyLimits,
    what: { reserve: Reserve; used: UsedAmount; again: boolean },
  ): void {
    const { reserve, used, again } = what;
    const cells = this.#cells;
    const at = this.#acquire(slot);
    if (limits.tokens_per_minute !== undefined) draw(cells, at + RECORD.tokens, used.tokens - reserve.tokens);
    if (reserve.dayTurn === turnOf(cells, at + RECORD.day)) {
      if (!again) this.#add(at, OF_THREAD.day, -reserve.tokens);
      use(cells, at + RECORD.day, again ? used.tokens - reserve.tokens : used.tokens);
    }
    if (reserve.monthTurn === turnOf(cells, at + RECORD.month)) {
      if (!again) this.#add(at, OF_THREAD.month, -reserve.nanoUsd);
      use(cells, at + RECORD.month, again ? used.nanoUsd - reserve.nanoUsd : used.nanoUsd);
    }
    this.#release(at);
  }

  leave(slot: number): void {
    const at = this.#acquire(slot);
    this.#add(at, OF_THREAD.running, -1);
    this.#release(at);
  }

  /** Counts at least so much as used of the running day and month. */
  seed(slot: number, used: { dayTokens: number; monthNanoUsd: number }, nowMs: number): void {
    const day = this.#calendar.day(nowMs);
    const month = this.#calendar.month(nowMs);
    const at = this.#acquire(slot);
    this.#roll(at, day, month, nowMs);
    use(this.#cells, at + RECORD.day, Math.max(0, used.dayTokens - usedOf(this.#cells, at + RECORD.day)));
    use(
      this.#cells,
      at + RECORD.month,
      Math.max(0, used.monthNanoUsd - usedOf(this.#cells, at + RECORD.month)),
    );
    this.#release(at);
  }

  /** Ends what a thread that is no more had running, and counts what it had set aside as used: it may have been. */
  forget(thread: number): void {
    const used = Atomics.load(this.#words, USED_WORD);
    for (let slot = 0; slot < used; slot++) {
      this.#locks.forget(recordStart(this.#memory, slot) * 2, thread);
      const at = this.#acquire(slot);
      const own = at + RECORD.threads + thread * OF_THREAD.cells;
      use(this.#cells, at + RECORD.day, this.#cells[own + OF_THREAD.day] ?? 0);
      use(this.#cells, at + RECORD.month, this.#cells[own + OF_THREAD.month] ?? 0);
      this.#cells.fill(0, own, own + OF_THREAD.cells);
      this.#release(at);
    }
  }

  /** Takes the lock of a record and gives the cell the record begins at. */
  #acquire(slot: number): number {
    if (slot >= this.#memory.principals)
      throw new RangeError("the limiter's memory has no room for this one");
    for (;;) {
      const used = Atomics.load(this.#words, USED_WORD);
      if (slot < used || Atomics.compareExchange(this.#words, USED_WORD, used, slot + 1) === used) break;
    }
    const at = recordStart(this.#memory, slot);
    this.#locks.acquire(at * 2);
    return at;
  }

  #release(at: number): void {
    this.#locks.release(at * 2);
  }

  #tokensLack(at: number, { tokens_per_minute: size }: KeyLimits, nowMs: number): number {
    return size === undefined ? 0 : refill(this.#cells, at + RECORD.tokens, size, nowMs);
  }

  #roll(at: number, day: Period, month: Period, nowMs: number): void {
    if (roll(this.#cells, at + RECORD.day, day, nowMs)) this.#clear(at, OF_THREAD.day);
    if (roll(this.#cells, at + RECORD.month, month, nowMs)) this.#clear(at, OF_THREAD.month);
  }

  #hindrance(at: number, limits: KeyLimits): Hindrance | undefined {
    const cells = this.#cells;
    const { tokens_per_minute: size, tokens_per_day: tokens, spend_usd_per_month: usd } = limits;
    const used = usedOf(cells, at + RECORD.day);
    if (tokens !== undefined && used + this.#sum(at, OF_THREAD.day) >= tokens)
      return used >= tokens ? "day" : "day-held";
    const spent = usedOf(cells, at + RECORD.month);
    const nano = usd === undefined ? undefined : toNano(usd);
    if (nano !== undefined && spent + this.#sum(at, OF_THREAD.month) >= nano)
      return spent >= nano ? "spend" : "spend-held";
    return size === undefined || holdsOne(size, cells[at + RECORD.tokens] ?? 0) ? undefined : "tokens";
  }

  #sum(at: number, cell: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.#memory.threads; thread++)
      sum += this.#cells[at + RECORD.threads + thread * OF_THREAD.cells + cell] ?? 0;
    return sum;
  }

  #clear(at: number, cell: number): void {
    for (let thread = 0; thread < this.#memory.threads; thread++)
      this.#cells[at + RECORD.threads + thread * OF_THREAD.cells + cell] = 0;
  }

  #add(at: number, cell: number, amount: number): void {
    const own = at + RECORD.threads + this.#thread * OF_THREAD.cells + cell;
    this.#cells[own] = Math.max(0, (this.#cells[own] ?? 0) + amount);
  }
}
