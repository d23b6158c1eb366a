import type { Timers } from "#platform/lib/timers.ts";

interface Due {
  readonly atMs: number;
  readonly work: () => void;
}

/** Time that stands still until it is told to move. */
export class FakeTimers implements Timers {
  readonly #due = new Set<Due>();
  #nowMs = 0;

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, work: () => void): Disposable {
    const due = { atMs: this.#nowMs + ms, work };
    this.#due.add(due);
    return { [Symbol.dispose]: () => void this.#due.delete(due) };
  }

  /** Does in turn what is due until then. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#due]
        .filter(({ atMs }) => atMs <= untilMs)
        .reduce<Due | undefined>((first, due) => (first && first.atMs <= due.atMs ? first : due), undefined);
      if (next === undefined) break;
      this.#due.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.work();
    }
    this.#nowMs = untilMs;
  }
}
