import { AppError } from "#platform/lib/error.ts";

/** Runs at most so many works at once and lets at most so many wait, the longest waiting first. */
export class WorkQueue {
  readonly #mostRunning: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(most: { running: number; waiting: number }) {
    this.#mostRunning = most.running;
    this.#mostWaiting = most.waiting;
  }

  /** What `work` gives. Throws AppError `rate_limited` when the queue is full, and `work` was not begun. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#mostRunning) this.#running++;
    else await this.#turn();
    try {
      return await work();
    } finally {
      // The place goes to the next one as it is: nobody who comes now can take it before him.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting)
      throw new AppError("rate_limited", "Too many credentials wait to be checked; try again.", {
        retryAfterS: 1,
      });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
