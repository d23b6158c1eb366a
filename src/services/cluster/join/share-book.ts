import type { Clock } from "#platform/lib/clock.ts";
import { Turn } from "#platform/threads/turn.ts";
import type { Recorded, ShareStore } from "./share-store.ts";
import { isSameTerm, openForMs, type Shares } from "./shares.ts";

interface BookParts {
  readonly store: ShareStore;
  readonly clock: Clock;
  /** Time that passes whatever the clock is set to. */
  readonly monotonicMs: () => number;
  /** The cluster that this server is in; undefined in none. */
  readonly clusterId: () => string | undefined;
}

/** This member's share of the tries as the store has it: what is not written does not count, one change after another. */
export class ShareBook {
  readonly #parts: BookParts;
  readonly #turn = new Turn();
  #shares: Shares | undefined;
  /** By monotonic time: no clock that is set back keeps joining open for longer. */
  #endMs = 0;

  private constructor(parts: BookParts, stored: Shares | undefined) {
    this.#parts = parts;
    this.#set(stored);
  }

  /** As the store has it. */
  static async read(parts: BookParts): Promise<ShareBook> {
    return new ShareBook(parts, await parts.store.read());
  }

  /** Undefined before the first term; what was of another cluster is nothing here. */
  current(): Shares | undefined {
    const shares = this.#shares;
    return shares?.clusterId === this.#parts.clusterId() ? shares : undefined;
  }

  /** What this member has, while joining is open. */
  open(): Shares | undefined {
    return this.openForMs() > 0 ? this.current() : undefined;
  }

  /** For how many milliseconds joining is still open; 0 where it is closed. */
  openForMs(): number {
    const { clock, monotonicMs } = this.#parts;
    const shares = this.current();
    if (shares === undefined) return 0;
    const leftMs = Math.floor(this.#endMs - monotonicMs());
    return Math.max(0, Math.min(openForMs(shares, clock.now()), leftMs));
  }

  /**
   * Writes what `next` makes of the share as it is then, with `record`; where `next` gives undefined nothing but `record`
   * is written. Throws AppError `storage_full` and what `record` throws, and nothing was changed.
   */
  async change(
    next: (known: Shares | undefined) => Shares | undefined,
    record: Recorded = async () => {},
  ): Promise<Shares | undefined> {
    const done = await this.#turn.take();
    try {
      const shares = next(this.current());
      await this.#parts.store.write(shares, record);
      if (shares !== undefined) this.#set(shares);
      return shares;
    } finally {
      done();
    }
  }

  #set(shares: Shares | undefined): void {
    const before = this.#shares;
    this.#shares = shares;
    const isKnown = before !== undefined && shares !== undefined && isSameTerm(before.term, shares.term);
    if (shares === undefined || (isKnown && before.clusterId === shares.clusterId)) return;
    const { clock, monotonicMs } = this.#parts;
    this.#endMs = monotonicMs() + openForMs(shares, clock.now());
  }
}
