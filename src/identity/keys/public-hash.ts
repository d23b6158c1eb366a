import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "#platform/lib/secret.ts";
import { parsePhc, type SlowHash, slowHashMatches, slowKeyFault } from "../slow-hashes/index.ts";
import { KEY_PREFIX, parseApiKey } from "./api-key.ts";

const ALGORITHM = "sha256";
const DIGEST_LENGTH = 32;

export type HashVerdict =
  | { readonly valid: true }
  | { readonly valid: false; readonly reason: string }
  | { readonly malformed: string };

/**
 * What stands for a key in a configuration: base64 of `sha256$` and the base64url SHA-256 of the key's text. A
 * plain hash is enough, and may be public, because the key carries 256 random bits.
 */
export function publicHash(key: Secret): string {
  return Buffer.from(`${ALGORITHM}$${digestOf(key).toString("base64url")}`).toString("base64");
}

/** A public hash as it was read: the digest of a key, or what `parsePhc` makes of an imported one. */
export type PublicHash = { readonly algorithm: "sha256"; readonly digest: Buffer } | SlowHash;

/**
 * Whether `key` is the one `hash` stands for; a hash of an imported configuration takes its time, in which
 * this thread does nothing else.
 * Neither a reason nor what is malformed repeats any of the two.
 */
export function verifyPublicHash(hash: string, key: Secret): HashVerdict {
  const parsed = parsePublicHash(hash);
  if ("malformed" in parsed) return parsed;
  const text = key.expose();
  if (parsed.algorithm !== ALGORITHM) {
    const fault = slowKeyFault(text);
    if (fault !== undefined) return { valid: false, reason: fault };
    return slowHashMatches(parsed, text)
      ? { valid: true }
      : { valid: false, reason: "it is not the key this hash stands for" };
  }
  // Only a well-formed key has the randomness without which a plain hash must not be relied upon.
  const wellFormed = parseApiKey(text);
  if (!wellFormed.ok) return { valid: false, reason: wellFormed.reason };
  if (timingSafeEqual(parsed.digest, digestOf(key))) return { valid: true };
  return { valid: false, reason: "it is a key, but not the one this hash stands for" };
}

/** Reads the hash of a configuration, or says what is malformed without repeating it. docs/formats/public-hash.md. */
export function parsePublicHash(hash: string): PublicHash | { readonly malformed: string } {
  if (hash.startsWith(KEY_PREFIX)) return { malformed: "this is a private key, not the hash of one" };
  if (/^\$?(sha256|argon2id|scrypt)\$/.test(hash))
    return { malformed: "it is not base64; give the base64 text of the whole" };
  const decoded = Buffer.from(hash, "base64");
  if (hash === "" || decoded.toString("base64") !== hash) return { malformed: "it is not base64" };
  const match = /^\$?(([a-z0-9-]{1,32})\$(.*))$/s.exec(decoded.toString("latin1"));
  const [whole, algorithm, rest] = [match?.[1], match?.[2], match?.[3]];
  if (whole === undefined || algorithm === undefined || rest === undefined) {
    return { malformed: "what it decodes to does not begin with the name of an algorithm and a $" };
  }
  if (algorithm === "argon2id" || algorithm === "scrypt") return parsePhc(whole);
  if (algorithm !== ALGORITHM) {
    return {
      malformed: `the algorithm "${algorithm}" is not supported; ${ALGORITHM}, argon2id and scrypt are`,
    };
  }
  const digest = Buffer.from(rest, "base64url");
  if (digest.toString("base64url") !== rest) return { malformed: "the digest is not base64url" };
  if (digest.length !== DIGEST_LENGTH) {
    return { malformed: `the digest has ${digest.length} bytes instead of ${DIGEST_LENGTH}` };
  }
  return { algorithm: ALGORITHM, digest };
}

function digestOf(key: Secret): Buffer {
  return createHash("sha256").update(key.expose()).digest();
}
