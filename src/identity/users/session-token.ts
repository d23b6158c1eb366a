import { createSecretKey, type KeyObject } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";

/** The one header there is: what names another algorithm, key or type is none of ours. */
const HEADER = { alg: "HS256" } as const;
const HEADER_SEGMENT = segmentOf(HEADER);
const LONGEST = 512;
/** A clock is set back by so much without anybody noticing; what was signed later than that is of a time that never was. */
const SKEW_MS = 60_000;
/** Far beyond any date, and still one that a clock can tell. */
const LAST_S = 2 ** 40;

const seconds = z.int().min(0).max(LAST_S);
const claimsShape = z.strictObject({
  sub: z.string().min(1).max(64),
  jti: z.string().min(1).max(64),
  iat: seconds,
  exp: seconds,
});

/** Whose session it is, which one, since when and until when this token is good; seconds since the Unix epoch. */
export type SessionClaims = z.infer<typeof claimsShape>;

/** Session tokens: JWTs (RFC 7519) under HS256 (RFC 7518, 3.2), which say of the session nothing but its name. */
export class SessionTokens {
  readonly #key: KeyObject;

  constructor(secret: Secret) {
    this.#key = createSecretKey(secret.expose(), "utf8");
  }

  sign(claims: SessionClaims): Promise<string> {
    return new SignJWT({ ...claims }).setProtectedHeader(HEADER).sign(this.#key);
  }

  /** What the token claims; undefined for one that this server did not sign as it stands, or that is not of about `nowMs`. */
  async verify(text: string, nowMs: number): Promise<SessionClaims | undefined> {
    if (!isWritten(text)) return undefined;
    try {
      const { payload } = await jwtVerify(text, this.#key, {
        algorithms: [HEADER.alg],
        currentDate: new Date(nowMs),
      });
      const claims = claimsShape.safeParse(payload).data;
      if (claims === undefined || claims.iat * 1000 > nowMs + SKEW_MS) return undefined;
      // Signed, but in other words: twice the same claim, other spaces, another order.
      return text.split(".")[1] === segmentOf(claims) ? claims : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Whether it has the header we write, and no other text would be read as the same bytes. */
function isWritten(text: string): boolean {
  if (text.length > LONGEST) return false;
  const segments = text.split(".");
  if (segments.length !== 3 || segments[0] !== HEADER_SEGMENT) return false;
  return segments.every((segment) => Buffer.from(segment, "base64url").toString("base64url") === segment);
}

function segmentOf(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
