const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** Tells, of JSON that comes in chunks cut anywhere, whether its root has been closed. Nothing else is checked. */
export class JsonBalance {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #opened = false;

  /** True when every bracket that was opened is closed, and one was. */
  get complete(): boolean {
    return this.#opened && this.#depth === 0 && !this.#inString;
  }

  push(chunk: Buffer): void {
    for (const byte of chunk) {
      if (this.#escaped) this.#escaped = false;
      else if (this.#inString) this.#stepInString(byte);
      else if (byte === QUOTE) this.#inString = true;
      else if (OPENING.has(byte)) this.#open();
      else if (CLOSING.has(byte)) this.#depth -= 1;
    }
  }

  #stepInString(byte: number): void {
    if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #open(): void {
    this.#opened = true;
    this.#depth += 1;
  }
}
