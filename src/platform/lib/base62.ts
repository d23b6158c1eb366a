import type { Random } from "./random.ts";

const ALPHABET = Buffer.from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "latin1");
const ZERO = "0".charCodeAt(0);
/** Of each character code. */
const VALUES: readonly (number | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(code);
  return value < 0 ? undefined : value;
});
const LONGEST = 64;
/** Where texts are put together, one at a time: a text that grows by a character is another string each time. */
const scratch = Buffer.alloc(LONGEST);

/** Big-endian base62 of `bytes`, left-padded with `0` to `width` characters, 64 at most (32 bytes need 43). */
export function toBase62(bytes: Uint8Array, width: number): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
  let at = LONGEST;
  for (; value > 0n; value /= 62n) scratch[--at] = ALPHABET[Number(value % 62n)] ?? ZERO;
  return padded(at, width);
}

/** As `toBase62`, of a whole number (32 bits need 6 characters): for the checksum of every presented key. */
export function numberToBase62(number: number, width: number): string {
  let at = LONGEST;
  for (let rest = number; rest > 0; rest = Math.floor(rest / 62)) scratch[--at] = ALPHABET[rest % 62] ?? ZERO;
  return padded(at, width);
}

/** The number that `numberToBase62` made this of; NaN for what is no base62, or too large to be exact. */
export function numberFromBase62(text: string): number {
  let number = 0;
  for (let at = 0; at < text.length; at++) number = number * 62 + (VALUES[text.charCodeAt(at)] ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** `length` characters of base62, 64 at most, unbiased: bytes beyond the largest multiple of 62 are drawn again. */
export function randomBase62(random: Random, length: number): string {
  let filled = 0;
  while (filled < length) {
    for (const byte of random.bytes(length))
      if (byte < 248 && filled < length) scratch[filled++] = ALPHABET[byte % 62] ?? ZERO;
  }
  return taken(0, length);
}

/** What stands in the scratch from `from` to its end. */
function padded(from: number, width: number): string {
  const start = Math.min(from, LONGEST - width);
  scratch.fill(ZERO, start, from);
  return taken(start, LONGEST);
}

/** Nothing of a secret stays behind. */
function taken(start: number, end: number): string {
  const text = scratch.toString("latin1", start, end);
  scratch.fill(0, start, end);
  return text;
}
