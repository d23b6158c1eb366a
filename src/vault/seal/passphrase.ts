import { createSecretKey, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import { type Argon2Parameters, argon2id } from "#platform/lib/argon2.ts";
import { AppError } from "#platform/lib/error.ts";
import { constantTimeEqual, hmacSha256, sha256 } from "#platform/lib/hmac.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { Turn } from "#platform/threads/turn.ts";

/** What a slot tells of its passphrase; it helps a guess no further than one argon2id for each. */
export interface PassphraseFacts {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  readonly cost: Argon2Parameters;
  /** 32 bytes: an HMAC under a key that only the passphrase gives. */
  readonly verifier: Uint8Array;
}

/** Some 200 ms and 64 MiB on a present machine (RFC 9106's second recommendation). */
export const USUAL_COST: Argon2Parameters = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };

const SALT_BYTES = 16;
const LEAST_CHARACTERS = 12;
const MOST_BYTES = 4096;
const VERIFIER_LABEL = "claviger server key verifier v1";

/**
 * The text in the one form that is stretched (NFKC): the same passphrase typed on two keyboards may come in different
 * code points. AppError `key_too_short` under 12 of its characters (code points), `key_too_long` over 4,096 of its bytes
 * in UTF-8, `bad_request` when it is no Unicode.
 */
export function requirePassphrase(key: Secret): string {
  const text = normalized(key);
  if (text === undefined) throw new AppError("bad_request", "The server key is not well-formed Unicode.");
  if (Buffer.byteLength(text) > MOST_BYTES) throw new AppError("key_too_long");
  if ([...text].length < LEAST_CHARACTERS) throw new AppError("key_too_short");
  return text;
}

/** Whether two keys are the same passphrase. */
export function isSamePassphrase(one: Secret, other: Secret): boolean {
  const [left, right] = [normalized(one), normalized(other)];
  return left !== undefined && right !== undefined && constantTimeEqual(sha256(left), sha256(right));
}

/** Stretches passphrases, one after another: each takes its memory, and many at once would take it all. */
export class Stretching {
  readonly #turn = new Turn();

  /** What wraps a root for a new passphrase. Errors: those of `requirePassphrase`. */
  async begin(
    key: Secret,
    { random, cost }: { random: Random; cost: Argon2Parameters },
  ): Promise<PassphraseFacts & { readonly kek: KeyObject }> {
    const salt = random.bytes(SALT_BYTES);
    return { salt, cost, ...(await this.#stretch(requirePassphrase(key), { salt, cost })) };
  }

  /** What wraps the root when `key` is the passphrase of these facts, else undefined. */
  async match(key: Secret, facts: PassphraseFacts): Promise<KeyObject | undefined> {
    const text = normalized(key);
    // No such text can have been set: it is wrong without any work.
    if (text === undefined || Buffer.byteLength(text) > MOST_BYTES) return undefined;
    if ([...text].length < LEAST_CHARACTERS) return undefined;
    const { kek, verifier } = await this.#stretch(text, facts);
    return constantTimeEqual(verifier, facts.verifier) ? kek : undefined;
  }

  async #stretch(
    text: string,
    { salt, cost }: { salt: Uint8Array; cost: Argon2Parameters },
  ): Promise<{ kek: KeyObject; verifier: Buffer }> {
    const end = await this.#turn.take();
    const utf8 = Buffer.from(text, "utf8");
    try {
      return split(await argon2id(utf8, { ...cost, salt, length: 2 * AEAD_KEY_BYTES }));
    } finally {
      utf8.fill(0);
      end();
    }
  }
}

/** The first half wraps the root; the second only tells whether the passphrase is right. */
function split(stretched: Buffer): { kek: KeyObject; verifier: Buffer } {
  try {
    const verifierKey = createSecretKey(stretched.subarray(AEAD_KEY_BYTES));
    return {
      kek: createSecretKey(stretched.subarray(0, AEAD_KEY_BYTES)),
      verifier: hmacSha256(verifierKey, VERIFIER_LABEL),
    };
  } finally {
    stretched.fill(0);
  }
}

function normalized(key: Secret): string | undefined {
  const text = key.expose();
  return text.isWellFormed() ? text.normalize("NFKC") : undefined;
}

/** Whether facts of an older program are to be made anew at the present cost. */
export function isCheaper(stored: Argon2Parameters, present: Argon2Parameters): boolean {
  return stored.memoryKib < present.memoryKib || stored.passes < present.passes;
}

/** 16 hexadecimal digits that name a passphrase's slot: of its salt, cost and verifier. */
export function fingerprintOf({ salt, cost, verifier }: PassphraseFacts): string {
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32BE(cost.memoryKib, 0);
  numbers.writeUInt32BE(cost.passes, 4);
  numbers.writeUInt32BE(cost.lanes, 8);
  return sha256(Buffer.concat([salt, numbers, verifier]))
    .toString("hex")
    .slice(0, 16);
}
