import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import { hmacSha256 } from "#platform/lib/hmac.ts";
import { JOIN_VERSION } from "./transcript.ts";

/** What a session key of the exchange is used for, each use with a key of its own. */
export interface JoinKeys {
  readonly joiner: KeyObject;
  readonly member: KeyObject;
  readonly grant: KeyObject;
}

/** HKDF-SHA256 (RFC 5869) without salt; the use is in its info. `sessionKey` is the library's text, base64url. */
export function joinKeys(sessionKey: string): JoinKeys {
  const keyFor = (use: string) => {
    const info = `claviger cluster join ${JOIN_VERSION} ${use}`;
    const bytes = hkdfSync("sha256", Buffer.from(sessionKey, "base64url"), "", info, AEAD_KEY_BYTES);
    return createSecretKey(Buffer.from(bytes));
  };
  return { joiner: keyFor("joiner"), member: keyFor("member"), grant: keyFor("grant") };
}

/** The joiner's proof that it has the session key and heard what `transcript` is the hash of. */
export function joinerProof(keys: JoinKeys, transcript: Buffer): Buffer {
  return hmacSha256(keys.joiner, transcript);
}

/** The member's: over the joiner's proof and the sealed grant too. */
export function memberProof(
  keys: JoinKeys,
  said: { readonly transcript: Buffer; readonly joinerProof: Buffer; readonly grant: Buffer },
): Buffer {
  return hmacSha256(keys.member, Buffer.concat([said.transcript, said.joinerProof, said.grant]));
}
