/** Takes a stream of bytes apart: so many at a time, or all that is left. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, to be kept small; undefined where the stream ends before. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      const part = await this.#next(missing);
      if (part === undefined) return undefined;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Gives at most `length` bytes, piece by piece; the caller counts whether they were all there. */
  async *stream(length: number): AsyncGenerator<Uint8Array> {
    for (let missing = length; missing > 0; ) {
      const part = await this.#next(missing);
      if (part === undefined) return;
      missing -= part.length;
      yield part;
    }
  }

  /** Whether there is not one byte more. */
  async isAtEnd(): Promise<boolean> {
    const part = await this.#next(1);
    if (part === undefined) return true;
    this.#held = Buffer.concat([part, this.#held]);
    return false;
  }

  /** Everything left. */
  async *rest(): AsyncGenerator<Uint8Array> {
    yield* this.stream(Number.POSITIVE_INFINITY);
  }

  /** Between 1 byte and `most`; undefined at the end. */
  async #next(most: number): Promise<Uint8Array | undefined> {
    while (this.#held.length === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return undefined;
      this.#held = value;
    }
    const part = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(part.length);
    return part;
  }
}
