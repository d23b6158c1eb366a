import { createHmac } from "node:crypto";
import type { Secret } from "./secret.ts";

/**
 * What may be stored in the clear to recognise `secret` again: the first 16 bytes of
 * HMAC-SHA256(secret, "claviger fingerprint" NUL name), as 32 hexadecimal digits.
 * The name is part of it, so that equal values under two names do not show as equal.
 */
export function fingerprint(name: string, secret: Secret): string {
  const mac = createHmac("sha256", secret.expose()).update(`claviger fingerprint\0${name}`).digest();
  return mac.subarray(0, 16).toString("hex");
}
