import { standsAt } from "#platform/lib/bytes-finder.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LETTER_U = 0x75;
const COLON = 0x3a;
const NONE: readonly never[] = [];

/** Names to look for, by their length and the last bits of their first byte, which tell most others apart. */
export type KeyNames = readonly (readonly { readonly name: string; readonly bytes: Buffer }[])[];

/** `names` in ASCII, ready for `eachKey`. */
export function keyNames(...names: readonly string[]): KeyNames {
  const wanted = names.map((name) => ({ name, bytes: Buffer.from(name, "latin1") }));
  const most = Math.max(...wanted.map(({ bytes }) => bytes.length)) + 1;
  return Array.from({ length: mark(most, 0) }, (_, at) => {
    const here = wanted.filter(({ bytes }) => mark(bytes.length, bytes[0] ?? 0) === at);
    return here.length === 0 ? NONE : here;
  });
}

/**
 * Steps through lines of JSON from string to string, at any depth, and calls `visit` for each key looked for,
 * with where its value begins. One pass; nothing is parsed or checked, and a key spelled with escapes is not seen.
 * `from`: where to begin, which is nowhere inside a string.
 */
export function eachKey(
  bytes: Buffer,
  wanted: KeyNames,
  visit: (name: string, valueStart: number) => void,
  from = 0,
): void {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] !== QUOTE) continue;
    const start = at + 1;
    const end = stringEnd(bytes, start);
    at = end;
    if (bytes[end] !== QUOTE) continue;
    const colon = skipSpaces(bytes, end + 1);
    if (bytes[colon] !== COLON) continue;
    const valueStart = skipSpaces(bytes, colon + 1);
    for (const key of wanted[mark(end - start, bytes[start] ?? 0)] ?? NONE)
      if (standsAt(bytes, start, key.bytes)) visit(key.name, valueStart);
    at = valueStart - 1;
  }
}

/** How many bytes the string behind an opening quote has; an escape counts as one, or as three for one by code point (`\u`). */
export function stringBytes(bytes: Buffer, from: number): number {
  const end = stringEnd(bytes, from);
  let size = end - from;
  for (let at = from; at < end; at += 1) {
    if (bytes[at] !== BACKSLASH) continue;
    at += 1;
    size -= bytes[at] === LETTER_U ? 3 : 1;
  }
  return size;
}

/** Behind an opening quote, where the closing one stands; or the end of the line, which is never in a JSON string. */
function stringEnd(bytes: Buffer, from: number): number {
  let at = from;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE || byte < SPACE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return Math.min(at, bytes.length);
}

function skipSpaces(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at += 1;
  return at;
}

function mark(length: number, first: number): number {
  return length * 8 + (first & 7);
}
