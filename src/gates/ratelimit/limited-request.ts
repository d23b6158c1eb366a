import type { Admission, AmountLeft, LimitsLeft, UsedAmount } from "#platform/http/ports.ts";
import type { AppError } from "#platform/lib/error.ts";
import { levelOf } from "./bucket.ts";
import type { KeyLimits } from "./key-limits.ts";
import type { LimitRecords, Reserve } from "./limit-records.ts";
import { refusalOf } from "./limit-refusal.ts";
import type { Seen } from "./seen.ts";

/** One request of a limited principal, from its admission to its end. */
export class LimitedRequest implements Admission {
  readonly refusal: AppError | undefined;
  readonly reserves: boolean;
  readonly #records: LimitRecords;
  readonly #slot: number;
  readonly #limits: KeyLimits;
  #left: LimitsLeft;
  #running: boolean;
  /** `charged` is a reserve that was counted whole because the request was over. */
  #stage: "none" | "reserved" | "charged" | "settled" = "none";
  #reserve: Reserve = { tokens: 0, nanoUsd: 0, dayTurn: 0, monthTurn: 0 };

  /** Begins at `nowMs`, or bears its refusal. */
  constructor(records: LimitRecords, slot: number, limits: KeyLimits, nowMs: number) {
    this.#records = records;
    this.#slot = slot;
    this.#limits = limits;
    const seen = records.enter(slot, limits, nowMs);
    this.#left = leftOf(limits, seen);
    this.refusal = refusalOf(seen, limits, nowMs);
    this.#running = this.refusal === undefined;
    const { tokens_per_minute, tokens_per_day, spend_usd_per_month } = limits;
    this.reserves = (tokens_per_minute ?? tokens_per_day ?? spend_usd_per_month) !== undefined;
  }

  get left(): LimitsLeft {
    return this.#left;
  }

  reserve(most: UsedAmount, nowMs: number): AppError | undefined {
    const seen = this.#records.reserve(this.#slot, this.#limits, most, nowMs);
    this.#left = leftOf(this.#limits, seen);
    const refusal = refusalOf(seen, this.#limits, nowMs);
    if (refusal !== undefined) return refusal;
    this.#reserve = seen.reserve;
    this.#stage = "reserved";
    return undefined;
  }

  settle(used: UsedAmount): void {
    if (this.#stage === "none" || this.#stage === "settled") return;
    const settlement = { reserve: this.#reserve, used, again: this.#stage === "charged" };
    this.#records.settle(this.#slot, this.#limits, settlement);
    this.#stage = "settled";
  }

  release(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#records.leave(this.#slot);
    if (this.#stage !== "reserved") return;
    const settlement = { reserve: this.#reserve, used: this.#reserve, again: false };
    this.#records.settle(this.#slot, this.#limits, settlement);
    this.#stage = "charged";
  }
}

function leftOf(limits: KeyLimits, { requestsLack, tokensLack }: Seen): LimitsLeft {
  return {
    requests: amountLeft(limits.requests_per_minute, requestsLack),
    tokens: amountLeft(limits.tokens_per_minute, tokensLack),
  };
}

function amountLeft(limit: number | undefined, lacks: number): AmountLeft | undefined {
  if (limit === undefined) return undefined;
  const { remaining, fullInMs } = levelOf(limit, lacks);
  return { limit, remaining, fullInMs };
}
