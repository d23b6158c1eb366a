import { createHmac, createSecretKey } from "node:crypto";
import type { Secret } from "#platform/lib/secret.ts";

/** What finds a key: the HMAC-SHA256 (32 bytes) of its text under `secret`, which is `API_KEY_SECRET`. */
export function keyDigest(secret: Secret): (text: string) => Buffer {
  // A prepared key object: bytes would be prepared anew for each text, which takes longer than the rest.
  const hmacKey = createSecretKey(Buffer.from(secret.expose()));
  return (text) => createHmac("sha256", hmacKey).update(text).digest();
}
