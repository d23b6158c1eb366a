import type { Admission } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import { Bucket, type Draw } from "./bucket.ts";
import type { KeyLimits } from "./key-limits.ts";

/** How long one who has too many requests running is sent away: nobody knows when one of them ends. */
const BUSY_RETRY_S = 1;

/** What one principal has used of its limits. */
interface Used {
  readonly bucket: Bucket | undefined;
  running: number;
}

/** Holds every limited principal to its limits. What it holds is small, and there is one for each limited key used. */
export class PrincipalLimiter {
  readonly #used = new Map<string, Used>();

  /**
   * Whether one more request of this principal may begin, at `nowMs`. One that may runs until `release`; one that may
   * not bears its refusal, and costs the principal nothing. The limits of a principal are always the same;
   * undefined for one that has none.
   */
  begin(principal: string, limits: KeyLimits, nowMs: number): Admission | undefined {
    const { concurrency, requests_per_minute: limit } = limits;
    if (concurrency === undefined && limit === undefined) return undefined;
    const used = this.#usedBy(principal, limits, nowMs);
    if (concurrency !== undefined && used.running >= concurrency) {
      const words = `At most ${concurrency} requests of this key may run at once, and that many do.`;
      return refused(words, BUSY_RETRY_S, toldOf(limit, used.bucket?.look(nowMs)));
    }
    const draw = used.bucket?.take(nowMs);
    const requests = toldOf(limit, draw);
    if (draw?.taken === false)
      return refused(
        "The key has made its requests of this minute.",
        Math.ceil(draw.waitMs / 1000),
        requests,
      );
    return { refusal: undefined, requests, release: entered(used) };
  }

  #usedBy(principal: string, limits: KeyLimits, nowMs: number): Used {
    const known = this.#used.get(principal);
    if (known !== undefined) return known;
    const perMinute = limits.requests_per_minute;
    const bucket = perMinute === undefined ? undefined : new Bucket(perMinute, nowMs);
    const used = { bucket, running: 0 };
    this.#used.set(principal, used);
    return used;
  }
}

/** Counts a request as running, until what it gives is called for the first time. */
function entered(used: Used): () => void {
  used.running += 1;
  let left = false;
  return () => {
    if (left) return;
    left = true;
    used.running -= 1;
  };
}

function toldOf(limit: number | undefined, draw: Draw | undefined): Admission["requests"] {
  if (limit === undefined || draw === undefined) return undefined;
  return { limit, remaining: draw.remaining, fullInMs: draw.fullInMs };
}

function refused(message: string, retryAfterS: number, requests: Admission["requests"]): Admission {
  return { refusal: new AppError("rate_limited", message, { retryAfterS }), requests, release: () => {} };
}
