import type { Exchange } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { JoinResponder } from "../responder.ts";

/** Counts what an address got wrong, of whatever kind. */
export interface AddressFailureCounter {
  /** One more, at `nowMs`. */
  failed(address: string, nowMs: number): unknown;
  /** The whole seconds for which it is not to be worked for; undefined while it is. */
  waitS(address: string, nowMs: number): number | undefined;
}

/** What stands before a message of a join: it comes from anybody, and costs more than to refuse it. */
export class JoinDoor {
  readonly #addresses: AddressFailureCounter;
  readonly #responder: Pick<JoinResponder, "requireOpen">;

  constructor(addresses: AddressFailureCounter, responder: Pick<JoinResponder, "requireOpen">) {
    this.#addresses = addresses;
    this.#responder = responder;
  }

  /**
   * Before the body is read. Throws AppError `not_found` on listeners that are not for joining, `cluster_closed`,
   * `joining_closed`, and `rate_limited` for an address that got too many wrong.
   */
  enter({ listener, address, time }: Exchange): void {
    const { entry, secure } = listener;
    if (!secure || entry.kind !== "listed" || !entry.cluster) throw new AppError("not_found");
    this.#responder.requireOpen();
    const waitS = address === null ? undefined : this.#addresses.waitS(address, time);
    if (waitS === undefined) return;
    const words = "Too many wrong credentials came from this address.";
    throw new AppError("rate_limited", words, { retryAfterS: waitS });
  }

  /** Does `work`; a wrong PIN counts against the address it came from. */
  async judge<Result>({ address, time }: Exchange, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (address !== null && error instanceof AppError && error.code === "wrong_pin")
        this.#addresses.failed(address, time);
      throw error;
    }
  }
}
