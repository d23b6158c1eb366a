import { createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { compare, hash } from "@node-rs/bcrypt";
import { Secret } from "#platform/lib/secret.ts";

/** Rounds of PBKDF2 in a new cluster; one that was made before keeps its own. */
export const TOKEN_ITERATIONS = 600_000;
const TOKEN_BYTES = 32;
const BCRYPT_COST = 12;

/**
 * The member token: PBKDF2-HMAC-SHA256 (RFC 8018) of the PIN's ASCII digits, 32 bytes in base64url, 43 characters.
 * Whoever has PIN and salt has the token: it is the same on every member.
 */
export async function deriveMemberToken(
  pin: Secret,
  { salt, iterations }: { readonly salt: Buffer; readonly iterations: number },
): Promise<Secret> {
  const bytes = await promisify(pbkdf2)(pin.expose(), salt, iterations, TOKEN_BYTES, "sha256");
  const token = new Secret(bytes.toString("base64url"));
  bytes.fill(0);
  return token;
}

/**
 * bcrypt (`$2y$`, which is `$2b$` by another name), cost 12, of the HMAC-SHA256 of the PIN under the cluster's pepper, in base64url: 43 characters, below the
 * 72 bytes that bcrypt reads. Without the pepper, which lies in another file, it tests no PIN.
 */
export function hashPin(pin: Secret, pepper: Secret): Promise<string> {
  return hash(peppered(pin, pepper), BCRYPT_COST);
}

/** Whether this is the PIN that the hash was made of. */
export function isPin(
  pin: Secret,
  known: { readonly pinHash: string; readonly pepper: Secret },
): Promise<boolean> {
  return compare(peppered(pin, known.pepper), known.pinHash);
}

function peppered(pin: Secret, pepper: Secret): string {
  const key = Buffer.from(pepper.expose(), "base64url");
  return createHmac("sha256", key).update(pin.expose(), "ascii").digest("base64url");
}
