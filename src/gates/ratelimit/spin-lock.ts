const FREE = 0;
/** What is guarded takes about a microsecond: whoever waits longer waits for a thread that does not run just now. */
const TRIES_BEFORE_SLEEP = 200;
const SLEEP_MS = 1;
/** So many sleeps on, about two seconds, the thread that holds the lock is dead: it was ended in the middle. */
const MOST_SLEEPS = 2000;

/**
 * Locks in memory that threads share, each an Int32 that is 0 while free, else the number of its thread and one. For a
 * few instructions that neither wait nor throw; a thread must hold at most one.
 */
export class SpinLocks {
  readonly #words: Int32Array;
  readonly #owner: number;

  constructor(words: Int32Array, thread: number) {
    this.#words = words;
    this.#owner = ownerOf(thread);
  }

  acquire(word: number): void {
    const words = this.#words;
    for (let tries = 0; Atomics.compareExchange(words, word, FREE, this.#owner) !== FREE; tries++) {
      if (tries < TRIES_BEFORE_SLEEP) continue;
      const holder = Atomics.load(words, word);
      if (holder === FREE) continue;
      if (tries < TRIES_BEFORE_SLEEP + MOST_SLEEPS) Atomics.wait(words, word, holder, SLEEP_MS);
      else if (Atomics.compareExchange(words, word, holder, this.#owner) === holder) return;
    }
  }

  /** Does nothing where the lock was taken over meanwhile. */
  release(word: number): void {
    Atomics.compareExchange(this.#words, word, this.#owner, FREE);
  }

  /** Frees the lock if the thread holds it that is no more. */
  forget(word: number, thread: number): void {
    Atomics.compareExchange(this.#words, word, ownerOf(thread), FREE);
  }
}

function ownerOf(thread: number): number {
  return thread + 1;
}
