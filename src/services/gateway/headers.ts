import type { Secret } from "#platform/lib/secret.ts";
import type { Redactor } from "./redact.ts";

/** Borne by every gateway answer: what an upstream sends must not act as a page of this origin. */
export const ANSWER_HEADERS = {
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
} as const;

/**
 * What an upstream is told of the client's headers. Not in it: user-agent and x-stainless-* (they describe the
 * client's machine), openai-organization and openai-project (they choose an account under our credential).
 */
const FORWARDED = new Set(["accept", "content-type", "idempotency-key", "openai-beta"]);
const CREDENTIAL_HEADERS = new Set(["authorization", "x-api-key", "api-key", "x-goog-api-key"]);

/** RFC 9110, 7.6.1, and what is like them in use: for one hop alone. */
export const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const DROPPED = new Set([
  ...HOP_BY_HOP,
  ...Object.keys(ANSWER_HEADERS),
  "content-length",
  "set-cookie",
  "set-cookie2",
  "clear-site-data",
  "service-worker-allowed",
  "strict-transport-security",
  "alt-svc",
  "www-authenticate",
  "location",
  "refresh",
  "server",
  "via",
  "nel",
  "report-to",
  "reporting-endpoints",
  "x-request-id",
]);
const DROPPED_PREFIXES = ["access-control-", "content-security-policy", "x-claviger-"];

/**
 * The headers of a request to an upstream, as name, value, name, value. `rawHeaders` is the client's, in the same
 * shape; the first of a repeated header counts. A value that repeats the client's own credential is left out.
 */
export function upstreamHeaders(rawHeaders: readonly string[], credential: Secret | undefined): string[] {
  const presented = presentedCredentials(rawHeaders);
  const nominated = nominatedByConnection(rawHeaders);
  const headers = credential === undefined ? [] : ["authorization", `Bearer ${credential.expose()}`];
  headers.push("accept-encoding", "identity");
  const seen = new Set<string>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    if (!FORWARDED.has(name) || nominated.has(name) || seen.has(name)) continue;
    seen.add(name);
    if (presented.some((token) => value.includes(token))) continue;
    headers.push(name, value);
  }
  return headers;
}

/**
 * The headers of the answer to the client, as name, value, name, value: the upstream's without hop-by-hop ones and
 * those that would act on the client's browser or name the upstream's machine, redacted, and `ANSWER_HEADERS`.
 * The caller sets content-length or transfer-encoding, and x-request-id.
 */
export function clientHeaders(upstreamRawHeaders: readonly string[], redactor: Redactor): string[] {
  const nominated = nominatedByConnection(upstreamRawHeaders);
  const headers: string[] = [];
  for (const [name, value] of headerPairs(upstreamRawHeaders)) {
    if (DROPPED.has(name) || nominated.has(name)) continue;
    if (DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    headers.push(name, redactor.header(value));
  }
  for (const [name, value] of Object.entries(ANSWER_HEADERS)) headers.push(name, value);
  return headers;
}

/** Names in lower case with their values, of headers as name, value, name, value. */
export function* headerPairs(rawHeaders: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""];
  }
}

/** RFC 9110, 7.6.1: a header named in Connection is for this hop alone. */
export function nominatedByConnection(rawHeaders: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    if (name !== "connection") continue;
    for (const nominated of value.split(",")) names.add(nominated.trim().toLowerCase());
  }
  return names;
}

function presentedCredentials(rawHeaders: readonly string[]): string[] {
  return [...headerPairs(rawHeaders)]
    .filter(([name]) => CREDENTIAL_HEADERS.has(name))
    .map(([, value]) => value.trim().split(/\s+/).at(-1) ?? "")
    .filter((token) => token !== "");
}
