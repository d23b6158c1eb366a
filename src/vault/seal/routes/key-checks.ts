import { authorOf, type ChangeAuthor, type Exchange } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { KeyTries } from "../tries.ts";

/** Counts what an address got wrong, of whatever kind. */
export interface AddressFailureCounter {
  /** One more, at `nowMs`. */
  failed(address: string, nowMs: number): unknown;
  /** The whole seconds for which it is not to be worked for; undefined while it is. */
  waitS(address: string, nowMs: number): number | undefined;
}

/** What stands before the check of a server key: it takes long, and is to be tried by few and seldom. */
export class KeyChecks {
  readonly #tries: KeyTries;
  readonly #addresses: AddressFailureCounter;

  constructor(tries: KeyTries, addresses: AddressFailureCounter) {
    this.#tries = tries;
    this.#addresses = addresses;
  }

  /** What `work` gives. Throws what it throws, and AppError `rate_limited` where it was not begun. */
  async run<Result>(exchange: Exchange, work: (by: ChangeAuthor) => Promise<Result>): Promise<Result> {
    const { address, time } = exchange;
    const waitS = address === null ? undefined : this.#addresses.waitS(address, time);
    if (waitS !== undefined)
      throw new AppError("rate_limited", "Too many wrong credentials came from this address.", {
        retryAfterS: waitS,
      });
    const by = authorOf(exchange);
    return await this.#tries.run(by, async () => {
      try {
        return await work(by);
      } catch (error) {
        if (address !== null && error instanceof AppError && error.code === "wrong_key")
          this.#addresses.failed(address, time);
        throw error;
      }
    });
  }
}
