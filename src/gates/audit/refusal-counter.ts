import type { Refusal, TimedEntry } from "./record.ts";

const MINUTE_MS = 60_000;
const MAX_ROUTE_LENGTH = 256;
/** What stands for a caller nobody knows. */
const UNKNOWN = "anonymous";

interface Counted {
  readonly minute: number;
  readonly firstMs: number;
  readonly address: string | null;
  readonly route: string | null;
  readonly actor: string;
  readonly action: string;
  readonly outcome: Refusal["outcome"];
  count: number;
}

/**
 * Refusals added up per actor, address, route and minute: those of unknown callers, who are one actor together, and
 * those of known ones that no longer fit among the single rows. Holds at most `capacity` sums; what comes
 * beyond is added to one sum without them, so that a flood costs neither memory nor disk.
 */
export class RefusalCounter {
  readonly #capacity: number;
  readonly #sums = new Map<string, Counted>();
  #overflow: Counted | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(refusal: Refusal, nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const route = refusal.route.slice(0, MAX_ROUTE_LENGTH);
    const actor = refusal.actor ?? UNKNOWN;
    const { action, outcome, address } = refusal;
    const key = JSON.stringify([minute, actor, address, route, action, outcome]);
    const sum = this.#sums.get(key);
    const fresh = { minute, firstMs: nowMs, actor, action, outcome, count: 1 };
    if (sum !== undefined) sum.count += 1;
    else if (this.#sums.size < this.#capacity) {
      this.#sums.set(key, { ...fresh, address, route });
    } else if (this.#overflow !== undefined) this.#overflow.count += 1;
    else this.#overflow = { ...fresh, actor: UNKNOWN, address: null, route: null };
  }

  /**
   * Up to `limit` sums of minutes that are over at `nowMs` (of all minutes at `Infinity`), oldest first, with
   * `forget`, to be called once they are written; what was counted in the meantime stays.
   */
  take(nowMs: number, limit: number): { entries: TimedEntry[]; forget: () => void } {
    const over = (sum: Counted) => (sum.minute + 1) * MINUTE_MS <= nowMs;
    const sums = [...this.#sums].filter(([, sum]) => over(sum)).slice(0, limit);
    const entries = sums.map(([, sum]) => toEntry(sum));
    const overflow = this.#overflow !== undefined && over(this.#overflow) ? this.#overflow : undefined;
    if (overflow !== undefined) entries.push(toEntry(overflow));
    const written = new Map(entries.map((entry, index) => [sums[index]?.[0], entry.count]));
    const forget = () => {
      for (const [key, sum] of sums) {
        sum.count -= written.get(key) ?? 0;
        if (sum.count === 0) this.#sums.delete(key);
      }
      if (overflow === undefined) return;
      overflow.count -= written.get(undefined) ?? 0;
      if (overflow.count === 0) this.#overflow = undefined;
    };
    return { entries, forget };
  }
}

function toEntry(sum: Counted): TimedEntry {
  return {
    time: sum.firstMs,
    actor: sum.actor,
    action: sum.action,
    target: sum.route,
    outcome: sum.outcome,
    address: sum.address,
    requestId: null,
    count: sum.count,
  };
}
