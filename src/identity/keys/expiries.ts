interface Expiry {
  readonly atMs: number;
  readonly slot: number;
}

/** What ends when, the next first: a binary heap. Whoever changes a time adds the new one and ignores the old. */
export class Expiries {
  readonly #heap: Expiry[] = [];

  add(expiry: Expiry): void {
    let at = this.#heap.length;
    // Up, past all that end later.
    for (let parent = (at - 1) >> 1; at > 0 && this.#atMs(parent) > expiry.atMs; parent = (at - 1) >> 1) {
      this.#move(parent, at);
      at = parent;
    }
    this.#heap[at] = expiry;
  }

  /** Takes out one of those that ended at `nowMs` or before; undefined when there is none. */
  take(nowMs: number): Expiry | undefined {
    const [first] = this.#heap;
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(expiry: Expiry): void {
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      const next = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left;
      if (this.#atMs(next) >= expiry.atMs) break;
      this.#move(next, at);
      at = next;
    }
    this.#heap[at] = expiry;
  }

  #atMs(at: number): number {
    return this.#heap[at]?.atMs ?? Infinity;
  }

  #move(from: number, to: number): void {
    const moved = this.#heap[from];
    if (moved !== undefined) this.#heap[to] = moved;
  }
}
