import type { Clock } from "#platform/lib/clock.ts";

/** Whose key a text was found to be; nobody's when `name` is undefined. */
export interface SlowVerdict {
  readonly name: string | undefined;
}

const WRONG_KEPT_MS = 60_000;
const MOST_WRONG = 10_000;
const NOBODY: SlowVerdict = { name: undefined };

/**
 * What was found of texts, by their digests: the right ones until `clear`, the wrong ones for 60 seconds, of them
 * the 10,000 that were asked about last.
 */
export class Verdicts {
  readonly #clock: Clock;
  readonly #right = new Map<string, SlowVerdict>();
  /** When each is forgotten, in milliseconds; the one asked about longest ago is first. */
  readonly #wrong = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(digest: string): SlowVerdict | undefined {
    const right = this.#right.get(digest);
    if (right !== undefined) return right;
    const forgottenAt = this.#wrong.get(digest);
    if (forgottenAt === undefined) return undefined;
    this.#wrong.delete(digest);
    if (this.#clock.now() >= forgottenAt) return undefined;
    // Set anew, it is the last again; being asked about does not make it stay longer.
    this.#wrong.set(digest, forgottenAt);
    return NOBODY;
  }

  keep(digest: string, name: string | undefined): void {
    if (name !== undefined) {
      this.#right.set(digest, { name });
      return;
    }
    this.#wrong.set(digest, this.#clock.now() + WRONG_KEPT_MS);
    const oldest = this.#wrong.size > MOST_WRONG ? this.#wrong.keys().next().value : undefined;
    if (oldest !== undefined) this.#wrong.delete(oldest);
  }

  clear(): void {
    this.#right.clear();
    this.#wrong.clear();
  }
}
