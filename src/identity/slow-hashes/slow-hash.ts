import { scryptSync } from "node:crypto";
import { argon2idHere } from "#platform/lib/argon2.ts";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { Argon2idHash, ScryptHash, SlowHash } from "./phc.ts";

const LEAST_BYTES = 12;
const MOST_BYTES = 512;

/**
 * Why `text` cannot be the key of any slow hash, undefined when it can: it has 12 to 512 characters that may stand
 * in a header, each of one byte.
 */
export function slowKeyFault(text: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(text)) return "it has a character that is not printable ASCII";
  if (text.length >= LEAST_BYTES && text.length <= MOST_BYTES) return undefined;
  return `it has ${text.length} characters instead of ${LEAST_BYTES} to ${MOST_BYTES}`;
}

/** Whether `text` is what `hash` was made of. Computed in this thread, which does nothing else meanwhile. */
export function slowHashMatches(hash: SlowHash, text: string): boolean {
  const made = hash.algorithm === "argon2id" ? argon2idOf(hash, text) : scryptOf(hash, text);
  return constantTimeEqual(made, hash.hash);
}

function argon2idOf({ memoryKib, passes, lanes, salt, hash }: Argon2idHash, text: string): Buffer {
  return argon2idHere(text, { memoryKib, passes, lanes, salt, length: hash.length });
}

/** scrypt (RFC 7914). */
function scryptOf({ logCost, blockSize, lanes, salt, hash }: ScryptHash, text: string): Buffer {
  const cost = 2 ** logCost;
  // Node.js counts the blocks of the lanes and of the mixing too, and wants more than all of them.
  const maxmem = 128 * blockSize * (cost + lanes + 2);
  return scryptSync(text, salt, hash.length, { cost, blockSize, parallelization: lanes, maxmem });
}
