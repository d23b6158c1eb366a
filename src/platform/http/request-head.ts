import type { IncomingMessage } from "node:http";
import { AppError } from "../lib/error.ts";

/** The headers the gates look at, read once from the raw list so that a duplicate cannot hide. */
export interface RequestHead {
  readonly host: string | undefined;
  /** The one credential presented, without its scheme; undefined when none, or the literal `anonymous`. */
  readonly credential: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly forwarded: boolean;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentLength: number | undefined;
}

const FORWARDING = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "via",
  "cf-connecting-ip",
  "true-client-ip",
  "x-client-ip",
]);
const KEY_HEADERS = new Set(["x-api-key", "api-key", "x-goog-api-key"]);
const SINGLE = new Set([
  "host",
  "authorization",
  "origin",
  "sec-fetch-site",
  "content-type",
  "content-encoding",
  ...KEY_HEADERS,
]);
const URL_CREDENTIALS = new Set([
  "api_key",
  "api-key",
  "apikey",
  "x-api-key",
  "key",
  "access_token",
  "token",
]);

/** Reads the head; `gateway` routes also take the AI clients' key headers. Throws AppError 400 for what is ambiguous. */
export function readHead(request: IncomingMessage, gateway: boolean): RequestHead {
  const seen = singleHeaders(request.rawHeaders);
  const keys = gateway ? [...KEY_HEADERS].flatMap((name) => seen.values.get(name) ?? []) : [];
  const length = request.headers["content-length"];
  return {
    host: seen.values.get("host"),
    credential: oneCredential(bearer(seen.values.get("authorization")), keys),
    origin: seen.values.get("origin"),
    fetchSite: seen.values.get("sec-fetch-site"),
    forwarded: seen.forwarded,
    contentType: seen.values.get("content-type"),
    contentEncoding: seen.values.get("content-encoding"),
    contentLength: length === undefined ? undefined : Number(length),
  };
}

/** Whether the query carries something that is named like a credential, in any case or escaping. */
export function hasCredentialInQuery(url: string): boolean {
  const mark = url.indexOf("?");
  if (mark < 0) return false;
  for (const name of new URLSearchParams(url.slice(mark + 1)).keys()) {
    if (URL_CREDENTIALS.has(unescapeFully(name).trim().toLowerCase())) return true;
  }
  return false;
}

function singleHeaders(raw: readonly string[]): { values: Map<string, string>; forwarded: boolean } {
  const values = new Map<string, string>();
  let forwarded = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    if (FORWARDING.has(name)) forwarded = true;
    if (!SINGLE.has(name)) continue;
    if (values.has(name))
      throw new AppError("bad_request", `The header ${name} was sent twice; send it once.`);
    values.set(name, raw[i + 1] ?? "");
  }
  return { values, forwarded };
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const space = authorization.indexOf(" ");
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme.toLowerCase() !== "bearer") return authorization;
  return space < 0 ? "" : authorization.slice(space + 1).trim();
}

function oneCredential(fromBearer: string | undefined, keys: readonly string[]): string | undefined {
  const presented = [...(fromBearer === undefined ? [] : [fromBearer]), ...keys].filter(
    (text) => text !== "anonymous",
  );
  const [first] = presented;
  if (presented.some((text) => text !== first)) throw new AppError("credential_conflict");
  return first;
}

/** A client's own request id counts only when it is well formed. */
export function clientRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(header) ? header : undefined;
}

function unescapeFully(text: string): string {
  let current = text;
  for (let round = 0; round < 3 && current.includes("%"); round++) {
    try {
      current = decodeURIComponent(current);
    } catch {
      return current;
    }
  }
  return current;
}
