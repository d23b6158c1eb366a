import { createHmac } from "node:crypto";

/** How long a code is good for, in seconds. */
const TOTP_STEP_S = 30;

/** HOTP (RFC 4226, 5.3): the code of a counter, so many decimal digits long. */
export function hotp(seed: Uint8Array, counter: number, digits = 6): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac("sha1", seed).update(moving).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  const number = digest.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** The counter that TOTP (RFC 6238, 4.2) takes at a time in milliseconds since the Unix epoch. */
export function totpStep(nowMs: number): number {
  return Math.floor(nowMs / 1000 / TOTP_STEP_S);
}
