import type { UsageDialect } from "./token-usage.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const keys = (...names: readonly string[]) => names.map((name) => Buffer.from(`"${name}"`));

/** Where a stream's events carry what the model says. A `delta` that is text is of the responses API alone. */
const RESPONSES_KEYS = keys("delta");
const TEXT_KEYS: Record<UsageDialect, readonly Buffer[]> = {
  openai: keys("content", "reasoning_content", "reasoning", "refusal", "arguments"),
  anthropic: keys("text", "thinking", "partial_json"),
};

/** Adds up how much a model said in a stream, roughly, for when the upstream does not tell. */
export class TextBytes {
  readonly #dialect: UsageDialect;
  #responses = 0;
  #text = 0;

  constructor(dialect: UsageDialect) {
    this.#dialect = dialect;
  }

  push(events: Buffer): void {
    if (this.#dialect === "openai") this.#responses += stringsUnder(events, RESPONSES_KEYS);
    // The last events of the responses API repeat what its deltas said.
    if (this.#responses === 0) this.#text += stringsUnder(events, TEXT_KEYS[this.#dialect]);
  }

  /** In bytes of UTF-8; an escape counts as one, or as three for `\uXXXX`. */
  get total(): number {
    return this.#responses === 0 ? this.#text : this.#responses;
  }
}

function stringsUnder(events: Buffer, names: readonly Buffer[]): number {
  let total = 0;
  for (const name of names) {
    for (let at = events.indexOf(name); at !== -1; at = events.indexOf(name, at + name.length)) {
      const open = openingQuote(events, at + name.length);
      if (open !== -1) total += stringBytes(events, open + 1);
    }
  }
  return total;
}

/** Past a colon and spaces, the quote that opens a string value; -1 when another value stands there. */
function openingQuote(bytes: Buffer, afterKey: number): number {
  let at = afterKey;
  while (bytes[at] === 0x20) at += 1;
  if (bytes[at] !== 0x3a) return -1;
  at += 1;
  while (bytes[at] === 0x20) at += 1;
  return bytes[at] === QUOTE ? at : -1;
}

function stringBytes(bytes: Buffer, start: number): number {
  let total = 0;
  let at = start;
  for (; at < bytes.length && bytes[at] !== QUOTE; at += 1) {
    total += 1;
    if (bytes[at] !== BACKSLASH) continue;
    at += 1;
    if (bytes[at] !== LETTER_U) continue;
    at += 4;
    total += 2;
  }
  return total;
}
