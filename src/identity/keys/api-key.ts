import { crc32 } from "node:zlib";
import { numberToBase62, randomBase62, toBase62 } from "#platform/lib/base62.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";

/** What every key begins with; docs/formats/api-key.md describes the whole. */
export const KEY_PREFIX = "sk-claviger-";
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SEPARATOR = KEY_PREFIX.length + ID_LENGTH;
const UNDERSCORE = 0x5f;
export const KEY_LENGTH = SEPARATOR + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;

/** 1 for a character that is not of base62, by its code; the last stands for all after it too. */
const NOT_BASE62 = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9A-Za-z]/.test(String.fromCharCode(code)) ? 0 : 1,
);

export type ParsedApiKey =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: string };

/** A new key: its public id (12 characters of base62) and its whole text, 256 bits of it random. */
export function generateApiKey(random: Random): { id: string; key: Secret } {
  const id = randomBase62(random, ID_LENGTH);
  const body = `${KEY_PREFIX}${id}_${toBase62(random.bytes(SECRET_BYTES), SECRET_LENGTH)}`;
  return { id, key: new Secret(body + checksum(body)) };
}

/** Whether the text looks like a key, its checksum left aside. How long that takes tells nothing of its characters. */
export function hasKeyShape(text: string): boolean {
  if (text.length !== KEY_LENGTH || !text.startsWith(KEY_PREFIX)) return false;
  // Without a branch that depends on a character: guessing those wrong is what a regular expression spends its time on.
  let wrong = text.charCodeAt(SEPARATOR) ^ UNDERSCORE;
  for (let index = KEY_PREFIX.length; index < SEPARATOR; index++) wrong |= notBase62(text, index);
  for (let index = SEPARATOR + 1; index < KEY_LENGTH; index++) wrong |= notBase62(text, index);
  return wrong === 0;
}

/** Tells a key from what only looks like one, or says what is wrong. The reason repeats nothing of the text. */
export function parseApiKey(text: string): ParsedApiKey {
  if (!text.startsWith(KEY_PREFIX)) return { ok: false, reason: `it does not begin with ${KEY_PREFIX}` };
  if (text.length !== KEY_LENGTH) {
    return { ok: false, reason: `it has ${text.length} characters instead of ${KEY_LENGTH}` };
  }
  if (!hasKeyShape(text)) {
    return { ok: false, reason: `character ${wrongCharacter(text) + 1} cannot be in a key at that place` };
  }
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (text.slice(-CHECKSUM_LENGTH) !== checksum(body)) {
    return { ok: false, reason: "its checksum does not match: a character is wrong" };
  }
  return { ok: true, id: publicIdIn(text) };
}

/** The public id in the text of a key. */
export function publicIdIn(text: string): string {
  return text.slice(KEY_PREFIX.length, SEPARATOR);
}

function notBase62(text: string, index: number): number {
  return NOT_BASE62[Math.min(text.charCodeAt(index), 255)] ?? 1;
}

/** The index of the first character that is neither base62 nor the separator in its place. */
function wrongCharacter(text: string): number {
  for (let index = KEY_PREFIX.length; index < text.length; index++) {
    const separated = text[index] === "_";
    if (separated !== (index === SEPARATOR) || (!separated && !/[0-9A-Za-z]/.test(text.charAt(index))))
      return index;
  }
  return text.length;
}

function checksum(body: string): string {
  return numberToBase62(crc32(body), CHECKSUM_LENGTH);
}
