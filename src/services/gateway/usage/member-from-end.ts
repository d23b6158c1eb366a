import type { ByteRange } from "../json-body.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const COLON = 0x3a;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** A member of a JSON object, in offsets; `start` and `end` are its value's, white space included. */
export interface Member extends ByteRange {
  /** Where the quote stands that opens the key. */
  readonly keyStart: number;
}

/**
 * The last root member called `name` in a JSON object, read backwards from its end, so that the start of
 * `bytes` may be missing. What stands in a string or deeper is passed over. Undefined when it is not there, or when
 * the bytes do not end with the object. JSON that is malformed gives any range; the caller parses it.
 */
export function memberFromEnd(bytes: Buffer, name: string): Member | undefined {
  let at = bytes.length - 1;
  while (at >= 0 && isSpace(bytes[at])) at -= 1;
  if (bytes[at] !== CLOSE_BRACE) return undefined;
  let valueEnd = at;
  let valueStart: number | undefined;
  let depth = 1;
  for (at -= 1; at >= 0; at -= 1) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (byte === QUOTE) {
      const open = openingQuote(bytes, at);
      if (valueStart !== undefined) {
        if (bytes.toString("latin1", open + 1, at) === name)
          return { keyStart: open, start: valueStart, end: valueEnd };
        valueStart = undefined;
      }
      at = open;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth += 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth -= 1;
    else if (byte === COLON && depth === 1) valueStart = at + 1;
    else if (byte === COMMA && depth === 1) valueEnd = at;
    if (depth === 0) return undefined;
  }
  return undefined;
}

/** Going back from a closing quote, the first quote behind an even number of backslashes; -1 when it is cut off. */
function openingQuote(bytes: Buffer, closing: number): number {
  for (let at = bytes.lastIndexOf(QUOTE, closing - 1); at > 0; at = bytes.lastIndexOf(QUOTE, at - 1)) {
    let before = at;
    while (bytes[before - 1] === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
