import type { Clock } from "#platform/lib/clock.ts";

/** A clock that stands still until it is told to move; threads that are given its memory see the same time. */
export class FakeClock implements Clock {
  readonly memory: SharedArrayBuffer;
  readonly #nowMs: BigInt64Array;

  constructor(start: number | SharedArrayBuffer = Date.UTC(2026, 0, 1)) {
    this.memory = typeof start === "number" ? new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) : start;
    this.#nowMs = new BigInt64Array(this.memory);
    if (typeof start === "number") Atomics.store(this.#nowMs, 0, BigInt(start));
  }

  now(): number {
    return Number(Atomics.load(this.#nowMs, 0));
  }

  advance(ms: number): void {
    Atomics.add(this.#nowMs, 0, BigInt(ms));
  }
}
