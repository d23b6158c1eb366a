import type { Random } from "./random.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Big-endian base62 of `bytes`, left-padded with `0` to `width` characters (32 bytes need 43, 4 bytes need 6). */
export function toBase62(bytes: Uint8Array, width: number): string {
  const hex = Buffer.from(bytes).toString("hex") || "0";
  let text = "";
  // The checksum of every presented key: a number holds six bytes exactly, and is quicker than a bigint.
  if (bytes.length <= 6) {
    for (let rest = Number.parseInt(hex, 16); rest > 0; rest = Math.floor(rest / 62))
      text = ALPHABET.charAt(rest % 62) + text;
    return text.padStart(width, "0");
  }
  let value = BigInt(`0x${hex}`);
  while (value > 0n) {
    text = ALPHABET.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text.padStart(width, "0");
}

/** `length` characters of base62, unbiased: bytes beyond the largest multiple of 62 are drawn again. */
export function randomBase62(random: Random, length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
