/**
 * One time limit that is set again and again. The timer beneath is seldom touched: it may fire early, looks, and waits
 * on, which costs less than a timer of its own for each phase of each request.
 */
export class Deadline {
  readonly #onOver: () => void;
  /** Monotonic milliseconds. */
  #at = Number.POSITIVE_INFINITY;
  #firesAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** In so many milliseconds from now, in place of what was set before. */
  in(ms: number): void {
    const now = performance.now();
    this.#at = now + ms;
    if (this.#firesAt > this.#at) this.#arm(ms, now);
  }

  /** Until it is set again. */
  none(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** For good. */
  clear(): void {
    this.none();
    clearTimeout(this.#timer);
  }

  #arm(ms: number, now: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = now + ms;
    this.#timer = setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    if (now >= this.#at) this.#onOver();
    else if (Number.isFinite(this.#at)) this.#arm(Math.max(1, this.#at - now), now);
  }
}
