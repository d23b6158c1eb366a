const INITIAL_BYTES = 1024;
const TWO_TO_32 = 2 ** 32;

/** Puts fields one behind the other so that no two lists of fields come out alike: every text has its length before it. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** Begins anew, with one byte that says what follows. */
  begin(kind: number): this {
    this.#length = 0;
    this.#buffer[this.#length++] = kind;
    return this;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  /** 8 bytes, signed, big-endian. `value` is a safe integer. */
  integer(value: number): this {
    this.#reserve(8);
    const high = Math.floor(value / TWO_TO_32);
    this.#buffer.writeInt32BE(high, this.#length);
    this.#buffer.writeUInt32BE(value - high * TWO_TO_32, this.#length + 4);
    this.#length += 8;
    return this;
  }

  /** As they are: for what is always as long. */
  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Its length in UTF-8, 4 bytes big-endian, and that UTF-8. */
  text(value: string): this {
    this.#reserve(4 + value.length * 3);
    const written = this.#buffer.write(value, this.#length + 4, "utf8");
    this.#buffer.writeUInt32BE(written, this.#length);
    this.#length += 4 + written;
    return this;
  }

  /** A byte 0 for null, a byte 1 and the text for any other. */
  optionalText(value: string | null): this {
    return value === null ? this.byte(0) : this.byte(1).text(value);
  }

  /** What was written, until the next `begin`. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
