import type { IncomingHttpHeaders } from "node:http";
import { AppError } from "../lib/error.ts";
import { knownNames } from "../lib/known-names.ts";
import type { ClientRequest } from "./client-request.ts";
import { unescapeFully } from "./path.ts";

/** The headers the gates look at, read once from the raw list so that a duplicate cannot hide. */
export interface RequestHead {
  readonly host: string | undefined;
  /** The first credential presented, without its scheme; undefined when none, or the literal `Bearer anonymous`. */
  readonly credential: string | undefined;
  /** Whether it came as `Authorization: Bearer`. */
  readonly isBearer: boolean;
  /** The value of the session cookie, outside the gateway, which takes none. */
  readonly session: string | undefined;
  /** Whether another one was presented that differs. */
  readonly conflict: boolean;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly forwarded: boolean;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLength: number | undefined;
  /** Whether the answer may be a web page, as browsers say when they navigate. */
  readonly takesPages: boolean;
}

/** What a proxy adds; beside these, everything that begins with `x-forwarded`. */
const FORWARDING = new Set([
  "forwarded",
  "forwarded-for",
  "x-original-forwarded-for",
  "x-original-host",
  "x-real-ip",
  "via",
  "cf-connecting-ip",
  "cf-ray",
  "fastly-client-ip",
  "true-client-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
]);
/** The cookie that people's sessions are known by. */
export const SESSION_COOKIE = "claviger_session";
const KEY_HEADERS = ["x-api-key", "api-key", "x-goog-api-key"];
/** Stands for a credential of a kind we do not take: presented, and nobody's. */
const OTHER_SCHEME = "another scheme";
/** What may come once only, each with a bit of its own. */
const SINGLE: ReadonlyMap<string, number> = new Map(
  [
    "host",
    "authorization",
    "origin",
    "sec-fetch-site",
    "content-type",
    "content-encoding",
    ...KEY_HEADERS,
  ].map((name, index) => [name, 1 << index]),
);
const roleOf = knownNames((name) => ({
  name,
  bit: SINGLE.get(name) ?? 0,
  forwards: isForwardingHeader(name),
}));
/** What the keys of this server begin with. */
const OUR_KEYS = "sk-claviger-";
const PAGE_TAKEN = /(^|,)\s*text\/html\s*(;|,|$)/i;
const URL_CREDENTIALS = new Set([
  "api_key",
  "api-key",
  "apikey",
  "x-api-key",
  "key",
  "access_token",
  "token",
]);

/** Reads the head; `gateway` routes also take the AI clients' key headers. Throws AppError 400 for a header that counts and came twice. */
export function readHead(request: ClientRequest, gateway: boolean): RequestHead {
  const forwarded = checkRawHeaders(request.rawHeaders);
  // Each of these came once, so that what Node makes of it is what was sent.
  const { headers } = request;
  const length = headers["content-length"];
  let credential = bearer(headers.authorization);
  const isBearer = credential !== undefined && credential !== OTHER_SCHEME;
  let conflict = false;
  for (const name of gateway ? KEY_HEADERS : []) {
    const key = single(headers, name);
    if (key === undefined) continue;
    credential ??= key;
    conflict ||= key !== credential;
  }
  const [session, ...others] = gateway ? [] : sessionCookies(headers.cookie);
  // Of two that differ, as pages of other hosts of the domain may plant one, neither is chosen.
  if (credential === undefined) conflict ||= others.some((other) => other !== session);
  return {
    host: headers.host,
    credential,
    isBearer,
    session,
    conflict,
    origin: headers.origin,
    fetchSite: single(headers, "sec-fetch-site"),
    forwarded,
    contentType: headers["content-type"],
    contentEncoding: headers["content-encoding"],
    contentLength: length === undefined ? undefined : Number(length),
    takesPages: !gateway && PAGE_TAKEN.test(headers.accept ?? ""),
  };
}

/**
 * Whether the query carries something that is named like a credential, in any case or escaping. What `/x/` passes on
 * has names of its own: there a key of ours counts, whatever its name, because it must not reach the upstream.
 */
export function hasCredentialInQuery(url: string): boolean {
  const mark = url.indexOf("?");
  if (mark < 0) return false;
  const passedOn = url.startsWith("/x/");
  for (const [name, value] of new URLSearchParams(url.slice(mark + 1))) {
    const counts = passedOn
      ? unescapeFully(value).trim().startsWith(OUR_KEYS)
      : URL_CREDENTIALS.has(unescapeFully(name).trim().toLowerCase());
    if (counts) return true;
  }
  return false;
}

/** Whether a proxy's header is among them. Throws AppError 400 for one that came twice and counts. */
function checkRawHeaders(raw: readonly string[]): boolean {
  let seen = 0;
  let forwarded = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const { name, bit, forwards } = roleOf(raw[i] ?? "");
    forwarded ||= forwards;
    if ((seen & bit) !== 0)
      throw new AppError("bad_request", `The header ${name} was sent twice; send it once.`);
    seen |= bit;
  }
  return forwarded;
}

function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

function sessionCookies(header: string | undefined): string[] {
  // What RFC 6265 (5.4) has around a pair, and no other white space: that would be a byte of the value.
  const pairs =
    header === undefined ? [] : header.split(";").map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ""));
  const start = `${SESSION_COOKIE}=`;
  return pairs.filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const space = authorization.indexOf(" ");
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme.toLowerCase() !== "bearer") return OTHER_SCHEME;
  const token = space < 0 ? "" : authorization.slice(space + 1).trim();
  return token === "anonymous" ? undefined : token;
}

/** Whether a header (its name in lower case) is one that a proxy adds. */
export function isForwardingHeader(name: string): boolean {
  return FORWARDING.has(name) || name.startsWith("x-forwarded");
}

/** A client's own request id counts only when it is well formed. */
export function clientRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(header) ? header : undefined;
}
