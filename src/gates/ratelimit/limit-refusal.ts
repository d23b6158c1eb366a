import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { levelOf } from "./bucket.ts";
import type { KeyLimits } from "./key-limits.ts";
import type { Seen } from "./seen.ts";
import { Calendar } from "./window.ts";

/** How long one is sent away who waits for other requests: nobody knows when one of them ends. */
const BUSY_RETRY_S = 1;
/** No client is told to sleep longer, whatever it waits for. */
const LONGEST_RETRY_S = 60;

/** The 429 of what hindered a request; undefined when nothing did. */
export function refusalOf(
  { hindrance, requestsLack, tokensLack }: Seen,
  limits: KeyLimits,
  nowMs: number,
): AppError | undefined {
  if (hindrance === undefined) return undefined;
  const calendar = new Calendar();
  switch (hindrance) {
    case "concurrency":
      return limited(
        `At most ${limits.concurrency} requests of this key may run at once, and that many do.`,
        BUSY_RETRY_S,
      );
    case "requests":
      return limited(
        "The key has made its requests of this minute.",
        waitS(limits.requests_per_minute, requestsLack),
      );
    case "tokens":
      return limited(
        "The key has used its tokens of this minute, or requests that are running may use them.",
        waitS(limits.tokens_per_minute, tokensLack),
      );
    case "day-held":
      return limited("Requests that are running may use up the key's tokens of this day.", BUSY_RETRY_S);
    case "spend-held":
      return limited("Requests that are running may use up the key's spend of this month.", BUSY_RETRY_S);
    case "day":
      return exhausted(
        `The key has used its ${limits.tokens_per_day} tokens of this day`,
        calendar.day(nowMs).untilMs,
        nowMs,
      );
    case "spend":
      return exhausted(
        `The key has spent its ${limits.spend_usd_per_month} US dollars of this month`,
        calendar.month(nowMs).untilMs,
        nowMs,
      );
    default:
      return hindrance satisfies never;
  }
}

function limited(message: string, retryAfterS: number): AppError {
  return new AppError("rate_limited", message, { retryAfterS });
}

function exhausted(what: string, untilMs: number, nowMs: number): AppError {
  const message = `${what}; the next begins at ${toTimestamp(untilMs)}.`;
  return new AppError("quota_exhausted", message, { retryAfterS: inSeconds(untilMs - nowMs) });
}

function waitS(size: number | undefined, lacks: number): number {
  return inSeconds(levelOf(size ?? 1, lacks).waitMs);
}

function inSeconds(ms: number): number {
  return Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil(ms / 1000)));
}
