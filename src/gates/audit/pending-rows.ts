import type { TimedEntry } from "./record.ts";

/** Rows on their way to the store: at most `capacity`, in the order in which they came. */
export class PendingRows {
  readonly #capacity: number;
  #rows: TimedEntry[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** False when there is no room: then the row was not taken. */
  add(row: TimedEntry): boolean {
    if (this.#rows.length >= this.#capacity) return false;
    this.#rows.push(row);
    return true;
  }

  /** The oldest rows, up to `limit`, with `forget`, to be called once they are written. */
  take(limit: number): { entries: TimedEntry[]; forget: () => void } {
    const entries = this.#rows.slice(0, limit);
    const forget = () => {
      this.#rows = this.#rows.slice(entries.length);
    };
    return { entries, forget };
  }
}
