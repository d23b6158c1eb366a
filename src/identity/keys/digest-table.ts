import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { KeyLimits } from "#gates/ratelimit/index.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { hasKeyShape, KEY_PREFIX, parseApiKey } from "./api-key.ts";

/** Has the shape of a key, and is none: judged in place of what has not, which so takes as long as a wrong key. */
const DECOY = Buffer.from(`${KEY_PREFIX}${"0".repeat(12)}_${"0".repeat(49)}`);

/** A key as the server remembers it, in memory. */
export interface IssuedKey {
  readonly id: string;
  /** Its number: how many were remembered before it. */
  readonly slot: number;
  readonly name: string;
  readonly digest: Buffer;
  readonly last4: string;
  readonly permissionSets: readonly string[];
  readonly limits: Readonly<KeyLimits>;
  readonly createdAt: number;
  revokedAt: number | null;
  lastUsedAt: number | null;
}

export type Authentication =
  | { readonly ok: true; readonly key: Readonly<IssuedKey> }
  | { readonly ok: false; readonly reason: "missing" | "malformed" | "unknown" | "revoked" };

/** All issued keys, found by the HMAC-SHA256 of what a caller presents. Holds no key's text. */
export class DigestTable {
  readonly #hmacKey: KeyObject;
  readonly #byDigest = new Map<string, IssuedKey>();
  readonly #nobody = Buffer.alloc(32);

  constructor(secret: Secret) {
    this.#hmacKey = createSecretKey(Buffer.from(secret.expose()));
  }

  digest(text: string): Buffer {
    return createHmac("sha256", this.#hmacKey).update(text).digest();
  }

  add(key: IssuedKey): void {
    this.#byDigest.set(key.digest.toString("latin1"), key);
  }

  /**
   * Whose key this is, or why nobody's. Whatever is presented, even nothing, costs one HMAC of the same length, one
   * look-up, one comparison, one checksum: the time taken tells a caller no more than the answer does.
   */
  authenticate(presented: string | undefined): Authentication {
    const shaped = presented !== undefined && hasKeyShape(presented);
    // Copied, for a text that is used again and again is quicker to hash than one that has just come.
    const text = shaped ? presented : DECOY.toString("latin1");
    if (!shaped) hasKeyShape(text);
    const digest = this.digest(text);
    const found = this.#byDigest.get(digest.toString("latin1"));
    const equal = timingSafeEqual(found?.digest ?? this.#nobody, digest);
    const wellFormed = parseApiKey(text).ok && shaped;
    if (presented === undefined || presented === "") return { ok: false, reason: "missing" };
    if (!wellFormed) return { ok: false, reason: "malformed" };
    if (found === undefined || !equal) return { ok: false, reason: "unknown" };
    if (found.revokedAt !== null) return { ok: false, reason: "revoked" };
    return { ok: true, key: found };
  }
}
