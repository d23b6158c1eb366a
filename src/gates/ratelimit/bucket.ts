const MINUTE_MS = 60_000;

/** What came of asking a bucket for one. */
export interface Draw {
  readonly taken: boolean;
  /** How many more could be taken at once. */
  readonly remaining: number;
  /** Milliseconds until one can be taken again; 0 while one can. */
  readonly waitMs: number;
  /** Milliseconds until the bucket is full again. */
  readonly fullInMs: number;
}

/**
 * A bucket that holds `size` and is refilled evenly, `size` a minute. It counts in parts of which 60,000 make one, so
 * that a millisecond brings `size` parts: whole numbers only, and nothing is lost or won by asking often.
 *
 * Its state is two numbers, the parts it holds and the millisecond it was last brought up to. Threads could share it as
 * two cells of a Float64Array over a SharedArrayBuffer beside an Int32 taken by `Atomics.compareExchange` for the few
 * instructions of `take`; in this version one thread serves all requests.
 */
export class Bucket {
  readonly #size: number;
  #parts: number;
  #atMs: number;

  /** Full. `size` is a whole number up to 1,000,000, so that every sum is exact. */
  constructor(size: number, nowMs: number) {
    this.#size = size;
    this.#parts = size * MINUTE_MS;
    this.#atMs = nowMs;
  }

  /** Takes one, where there is one. A clock that was set back refills nothing, and goes on from there. */
  take(nowMs: number): Draw {
    this.#refill(nowMs);
    const taken = this.#parts >= MINUTE_MS;
    if (taken) this.#parts -= MINUTE_MS;
    return this.#drawn(taken);
  }

  /** What there is, with nothing taken. */
  look(nowMs: number): Draw {
    this.#refill(nowMs);
    return this.#drawn(false);
  }

  #drawn(taken: boolean): Draw {
    return {
      taken,
      remaining: Math.floor(this.#parts / MINUTE_MS),
      waitMs: this.#msUntil(MINUTE_MS),
      fullInMs: this.#msUntil(this.#size * MINUTE_MS),
    };
  }

  #refill(nowMs: number): void {
    // After a minute it is full, whatever it held: longer times need not be multiplied.
    const passedMs = Math.min(Math.max(0, nowMs - this.#atMs), MINUTE_MS);
    this.#parts = Math.min(this.#size * MINUTE_MS, this.#parts + passedMs * this.#size);
    this.#atMs = nowMs;
  }

  #msUntil(parts: number): number {
    return Math.ceil(Math.max(0, parts - this.#parts) / this.#size);
  }
}
