/** One bit that every thread of the process sees at once: what one raises, the next look of any other finds raised. */
export class SharedFlag {
  readonly memory: SharedArrayBuffer;
  readonly #cell: Int32Array;

  /** A new one, lowered; or the one that another thread made, by its memory. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cell = new Int32Array(memory);
  }

  get raised(): boolean {
    return Atomics.load(this.#cell, 0) === 1;
  }

  raise(): void {
    Atomics.store(this.#cell, 0, 1);
  }

  lower(): void {
    Atomics.store(this.#cell, 0, 0);
  }
}
