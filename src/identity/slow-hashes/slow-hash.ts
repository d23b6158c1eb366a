import { scrypt } from "node:crypto";
import { argon2id } from "#platform/lib/argon2.ts";
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

/** Whether `text` is what `hash` was made of. Computed in the thread pool, never in the event loop. */
export async function slowHashMatches(hash: SlowHash, text: string): Promise<boolean> {
  const made = await (hash.algorithm === "argon2id" ? argon2idOf(hash, text) : scryptOf(hash, text));
  return constantTimeEqual(made, hash.hash);
}

function argon2idOf({ memoryKib, passes, lanes, salt, hash }: Argon2idHash, text: string): Promise<Buffer> {
  return argon2id(text, { memoryKib, passes, lanes, salt, length: hash.length });
}

/** scrypt (RFC 7914). */
function scryptOf({ logCost, blockSize, lanes, salt, hash }: ScryptHash, text: string): Promise<Buffer> {
  const cost = 2 ** logCost;
  // Node.js counts the blocks of the lanes and of the mixing too, and wants more than all of them.
  const maxmem = 128 * blockSize * (cost + lanes + 2);
  return new Promise((resolve, reject) => {
    scrypt(text, salt, hash.length, { cost, blockSize, parallelization: lanes, maxmem }, (error, made) =>
      error === null ? resolve(made) : reject(error),
    );
  });
}
