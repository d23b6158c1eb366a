import { createHmac } from "node:crypto";

/** A segment of a token. */
export function encoded(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** `text`, a dot and its HMAC. */
export function signed(key: string | Buffer, text: string, hash = "sha256"): string {
  return `${text}.${createHmac(hash, key).update(text).digest("base64url")}`;
}

/** What a session's token says. */
export interface Claims {
  readonly sub: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

/** What is needed to forge: a token that is good, the secret that signed it, and sessions beside it. */
export interface Forge {
  readonly token: string;
  readonly secret: string;
  readonly claims: Claims;
  /** Of somebody else, signed in. */
  readonly other: Claims;
  /** Of a session of the same user that ended. */
  readonly ended: Claims;
}

/** A token under the server's own secret, whatever it says. */
export function forged({ secret }: Forge, header: unknown, payload: unknown): string {
  return signed(secret, `${encoded(header)}.${encoded(payload)}`);
}

export const HS256 = { alg: "HS256" };

/** By name, so that a failing one is known. */
export type Variants = ReadonlyMap<string, string>;
