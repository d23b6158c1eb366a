import { hmacSha256Of } from "#platform/lib/hmac.ts";
import { Secret } from "#platform/lib/secret.ts";

/** `API_KEY_SECRET`, or how to ask for it where another may take its place. */
export type DigestSecret = Secret | (() => Secret);

/** What finds a key: the HMAC-SHA256 (32 bytes) of its text under `secret`. */
export function keyDigest(secret: DigestSecret): (text: string) => Buffer {
  const now = secret instanceof Secret ? () => secret : secret;
  let known = now();
  let digest = hmacSha256Of(Buffer.from(known.expose()));
  return (text) => {
    if (now() !== known) {
      known = now();
      digest = hmacSha256Of(Buffer.from(known.expose()));
    }
    return digest(text);
  };
}
