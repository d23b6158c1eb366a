import { createSecretKey, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import { AppError } from "#platform/lib/error.ts";
import { constantTimeEqual, hmacSha256, sha256 } from "#platform/lib/hmac.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";

const PREFIX = "claviger-recovery-";
/** Crockford's base32: no letter that is read as another, or as a digit. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKSUM_BYTES = 3;
/** 35 bytes are exactly 56 characters: 14 groups of 4. */
const CHARACTERS = ((AEAD_KEY_BYTES + CHECKSUM_BYTES) * 8) / 5;
const WRAPPING_LABEL = "claviger recovery wrapping key v1";

/** 256 random bits and a checksum as text to write down, and what wraps the root for it. */
export function newRecoveryKey(random: Random): { text: Secret; wrappingKey: KeyObject } {
  const bytes = random.bytes(AEAD_KEY_BYTES);
  try {
    return { text: new Secret(toText(bytes)), wrappingKey: wrappingKeyOf(bytes) };
  } finally {
    bytes.fill(0);
  }
}

/**
 * What wraps the root for a recovery key; undefined for a text that is none. Case, spaces and hyphens do not matter, and
 * O, I and L are read as the digits they look like. AppError `wrong_key` when it was mistyped: the checksum tells.
 */
export function readRecoveryKey(key: Secret): KeyObject | undefined {
  if (!isRecoveryKey(key)) return undefined;
  const bytes = fromText(key.expose());
  try {
    const value = bytes.subarray(0, AEAD_KEY_BYTES);
    if (bytes.length !== AEAD_KEY_BYTES + CHECKSUM_BYTES || !constantTimeEqual(withChecksum(value), bytes))
      throw new AppError(
        "wrong_key",
        "The recovery key was mistyped: its checksum does not fit. Compare it with what was written down.",
      );
    return wrappingKeyOf(value);
  } finally {
    bytes.fill(0);
  }
}

/** Whether the text is meant as a recovery key; no passphrase may look like one. */
export function isRecoveryKey(key: Secret): boolean {
  return compact(key.expose()).startsWith(compact(PREFIX));
}

/** One way only: what the store keeps of it does not give the text back. */
function wrappingKeyOf(bytes: Buffer): KeyObject {
  const derived = hmacSha256(createSecretKey(bytes), WRAPPING_LABEL);
  try {
    return createSecretKey(derived);
  } finally {
    derived.fill(0);
  }
}

function withChecksum(bytes: Buffer): Buffer {
  const sum = sha256(Buffer.concat([Buffer.from(PREFIX, "latin1"), bytes]));
  return Buffer.concat([bytes, sum.subarray(0, CHECKSUM_BYTES)]);
}

function toText(bytes: Buffer): string {
  let value = BigInt(`0x${withChecksum(bytes).toString("hex")}`);
  let text = "";
  for (let at = 0; at < CHARACTERS; at++, value >>= 5n) text = ALPHABET.charAt(Number(value & 31n)) + text;
  return PREFIX + (text.match(/.{4}/g) ?? []).join("-");
}

/** Empty when it has another length or a character that no recovery key has. */
function fromText(text: string): Buffer {
  const body = compact(text).slice(compact(PREFIX).length).replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  const digits = [...body].map((character) => ALPHABET.indexOf(character));
  if (digits.length !== CHARACTERS || digits.includes(-1)) return Buffer.alloc(0);
  const value = digits.reduce((sum, digit) => (sum << 5n) | BigInt(digit), 0n);
  return Buffer.from(value.toString(16).padStart((CHARACTERS * 5) / 4, "0"), "hex");
}

function compact(text: string): string {
  return text.replaceAll(/[\s-]/g, "").toUpperCase();
}
