import type { Clock } from "#platform/lib/clock.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { dropOld, type Portion, sumNewRows, sumOldRows } from "./store.ts";

const EVERY_MS = 10_000;
/** Old rows are taken in slices this far apart, so that whoever waits for the store comes first. */
const OLD_EVERY_MS = 100;
/** A slice keeps the storage thread for some 60 ms; smaller ones cost more for each row. */
const SLICE_ROWS = 4000;
/** How long sums by the minute are kept. */
export const MINUTES_KEPT_MS = 7 * 86_400_000;

interface RollUpParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * Sums request rows behind their coming in, slice by slice, each slice and how far it reached in one transaction: whoever is
 * killed between two goes on where the last ended. What is not summed yet is read from the rows.
 */
export class RollUp {
  readonly #parts: RollUpParts;
  #timer: Disposable | undefined;
  #working: Promise<void> = Promise.resolve();
  #oldLeft = true;
  #isClosed = false;

  constructor(parts: RollUpParts) {
    this.#parts = parts;
    this.#after(0);
  }

  /** Settles when what was written before is summed, or could not be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#working;
    await this.#guarded(() => this.#sumNew());
  }

  #after(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#parts.timers.after(ms, () => {
      this.#working = this.#guarded(() => this.#turn()).then(() =>
        this.#after(this.#oldLeft ? OLD_EVERY_MS : EVERY_MS),
      );
    });
  }

  async #turn(): Promise<void> {
    const { database } = this.#parts;
    await this.#sumNew();
    if (this.#oldLeft)
      this.#oldLeft = !(await database.transaction((query) => sumOldRows(query, this.#portion())));
    await database.transaction((query) => dropOld(query, this.#portion().minutesFrom));
  }

  async #sumNew(): Promise<void> {
    const slice = () => this.#parts.database.transaction((query) => sumNewRows(query, this.#portion()));
    while (!(await slice()));
  }

  #portion(): Portion {
    return { rows: SLICE_ROWS, minutesFrom: this.#parts.clock.now() - MINUTES_KEPT_MS };
  }

  /** What failed is tried again at the next turn. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const detail = error instanceof Error ? error.message : "";
      this.#parts.log.warn({ detail }, "request rows could not be summed; it is tried again");
    }
  }
}
