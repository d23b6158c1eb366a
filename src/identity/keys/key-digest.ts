import { createHmac, createSecretKey } from "node:crypto";
import { Secret } from "#platform/lib/secret.ts";

/** `API_KEY_SECRET`, or how to ask for it where another may take its place. */
export type DigestSecret = Secret | (() => Secret);

/** What finds a key: the HMAC-SHA256 (32 bytes) of its text under `secret`. */
export function keyDigest(secret: DigestSecret): (text: string) => Buffer {
  const now = secret instanceof Secret ? () => secret : secret;
  let known = now();
  // A prepared key object: bytes would be prepared anew for each text, which takes longer than the rest.
  let hmacKey = createSecretKey(Buffer.from(known.expose()));
  return (text) => {
    if (now() !== known) {
      known = now();
      hmacKey = createSecretKey(Buffer.from(known.expose()));
    }
    return createHmac("sha256", hmacKey).update(text).digest();
  };
}
