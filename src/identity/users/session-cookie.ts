import { SESSION_COOKIE } from "#platform/http/request-head.ts";

/** The `Set-Cookie` that gives a browser its session token, for so many seconds (RFC 6265). */
export function sessionCookie(
  token: string,
  { maxAgeS, secure }: { maxAgeS: number; secure: boolean },
): string {
  const marks = secure ? "; Secure" : "";
  return `${SESSION_COOKIE}=${token}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${marks}`;
}

/** The one that takes it away. */
export function noSessionCookie({ secure }: { secure: boolean }): string {
  return sessionCookie("", { maxAgeS: 0, secure });
}
