import type { Admission, UsedAmount } from "#platform/http/ports.ts";
import type { ErrorCode } from "#platform/lib/error.ts";
import type { TokenReserve } from "./token-reserve.ts";
import { NO_PARTS, type TokenParts, type TokenUsage } from "./token-usage.ts";
import type { UsageMeter } from "./usage-meter.ts";

/** Above this sums of costs would not be whole numbers; no request costs a million dollars. */
const MOST_NANO_USD = 1_000_000_000_000_000;
/** With these nothing reached the upstream. */
const NOT_SENT: ReadonlySet<ErrorCode | undefined> = new Set(["upstream_unreachable", "egress_denied"]);

interface HoldParts {
  readonly admission: Admission;
  readonly reserve: TokenReserve;
  /** What so much costs, in nano-dollars; null when no price is known. */
  readonly cost: (usage: TokenUsage) => number | null;
}

/** What a limited request has set aside of its limits, until it is known what it used. */
export class UsageHold {
  readonly #parts: HoldParts;
  #refused = false;

  /** Sets the reserve aside at `nowMs`. Throws the limiter's refusal. */
  constructor(parts: HoldParts, nowMs: number) {
    this.#parts = parts;
    const { input, output } = parts.reserve;
    const most = { tokens: input + output, nanoUsd: dearest(parts) };
    const refusal = parts.admission.reserve(most, nowMs);
    if (refusal !== undefined) throw refusal;
  }

  /** The upstream answered with this status: what it refuses costs nothing. */
  answered(status: number): void {
    this.#refused = status >= 400;
  }

  /** The request is over; `meter` is undefined when it was never sent. */
  settle(meter: UsageMeter | undefined, error: ErrorCode | undefined): void {
    const free = meter === undefined || this.#refused || NOT_SENT.has(error);
    this.#parts.admission.settle(free ? { tokens: 0, nanoUsd: 0 } : this.#used(meter.read()));
  }

  /** What no figure tells counts as it was set aside: leaving early must not be a way round the limit. */
  #used(told: TokenUsage | null): UsedAmount {
    const { reserve, cost } = this.#parts;
    const inputTokens = told?.inputTokens ?? reserve.input;
    const outputTokens = told?.outputTokens ?? reserve.output;
    const usage = { inputTokens, outputTokens, parts: told?.parts ?? NO_PARTS, estimated: true };
    return { tokens: inputTokens + outputTokens, nanoUsd: bounded(cost(usage)) };
  }
}

/** What the reserve costs at the highest of its prices: the input may be sound, or be written to a cache. */
function dearest({ reserve: { input, output }, cost }: HoldParts): number {
  const kinds: readonly TokenParts[] = [
    NO_PARTS,
    { ...NO_PARTS, cacheWrite: input, cacheWriteHour: input },
    { ...NO_PARTS, inputAudio: input, outputAudio: output },
  ];
  const costs = kinds.map((parts) =>
    cost({ inputTokens: input, outputTokens: output, parts, estimated: true }),
  );
  return Math.max(...costs.map(bounded));
}

function bounded(nanoUsd: number | null): number {
  return Math.min(nanoUsd ?? 0, MOST_NANO_USD);
}
