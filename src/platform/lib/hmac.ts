import { createHash, createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

/** HMAC-SHA256 (RFC 2104), 32 bytes; text is taken as UTF-8. The key object is made once, outside the hot path. */
export function hmacSha256(key: KeyObject, data: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/** SHA-256 (FIPS 180-4), 32 bytes; text is taken as UTF-8. */
export function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** Whether the bytes are the same, in a time that tells nothing of them but their length. */
export function constantTimeEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
