import type { Secret } from "#platform/lib/secret.ts";
import type { KindFacts } from "./providers/kind.ts";
import type { Redactor } from "./redact.ts";
import type { UsageDialect } from "./usage/token-usage.ts";

/** Borne by every gateway answer: what an upstream sends must not act as a page of this origin. */
export const ANSWER_HEADERS = {
  "content-security-policy": "sandbox; default-src 'none'",
  "x-content-type-options": "nosniff",
} as const;

const ANSWER_HEADER_PAIRS: readonly string[] = Object.entries(ANSWER_HEADERS).flat();

/**
 * What an upstream is told of the client's headers. Not in it: user-agent, x-stainless-*, x-app and
 * x-claude-code-session-id (they describe the client and its machine), openai-organization, openai-project,
 * anthropic-workspace-id and anthropic-user-profile-id (they choose an account under our credential).
 */
const FORWARDED: Record<UsageDialect, ReadonlySet<string>> = {
  openai: new Set(["accept", "content-type", "idempotency-key", "openai-beta"]),
  anthropic: new Set(["accept", "content-type", "idempotency-key", "anthropic-version", "anthropic-beta"]),
};
/** Comma lists: of these every line of a repeated header goes on. */
const LISTS = new Set(["openai-beta", "anthropic-beta"]);
/** Anthropic refuses a request that names no version (https://docs.anthropic.com/en/api/versioning). */
const DEFAULT_VERSION = ["anthropic-version", "2023-06-01"] as const;
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
  "request-id",
]);
const DROPPED_PREFIXES = ["access-control-", "content-security-policy", "x-claviger-"];

/**
 * The headers of a request to an upstream, as name, value, name, value. `rawHeaders` is the client's, in the same
 * shape; the first of a repeated header counts, but for lists. A value that repeats the client's own credential is
 * left out.
 */
export function upstreamHeaders(
  rawHeaders: readonly string[],
  credential: Secret | undefined,
  kind: Pick<KindFacts, "dialect" | "credentialHeader">,
): string[] {
  const presented = presentedCredentials(rawHeaders);
  const nominated = nominatedByConnection(rawHeaders);
  const { name: header, prefix } = kind.credentialHeader;
  const headers = credential === undefined ? [] : [header, prefix + credential.expose()];
  headers.push("accept-encoding", "identity");
  const seen = new Set<string>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    if (!FORWARDED[kind.dialect].has(name) || nominated.has(name)) continue;
    if (seen.has(name) && !LISTS.has(name)) continue;
    if (presented.some((token) => value.includes(token))) continue;
    seen.add(name);
    headers.push(name, value);
  }
  if (kind.dialect === "anthropic" && !seen.has(DEFAULT_VERSION[0])) headers.push(...DEFAULT_VERSION);
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
  // Indexed, not by `headerPairs`: on the hot path a generator costs more than what it gives.
  for (let index = 0; index + 1 < upstreamRawHeaders.length; index += 2) {
    const name = (upstreamRawHeaders[index] ?? "").toLowerCase();
    if (DROPPED.has(name) || nominated.has(name)) continue;
    if (DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    headers.push(name, redactor.header(upstreamRawHeaders[index + 1] ?? ""));
  }
  headers.push(...ANSWER_HEADER_PAIRS);
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
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== "connection") continue;
    for (const nominated of (rawHeaders[index + 1] ?? "").split(","))
      names.add(nominated.trim().toLowerCase());
  }
  return names;
}

function presentedCredentials(rawHeaders: readonly string[]): string[] {
  const tokens: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!CREDENTIAL_HEADERS.has((rawHeaders[index] ?? "").toLowerCase())) continue;
    const token = (rawHeaders[index + 1] ?? "").trim().split(/\s+/).at(-1) ?? "";
    if (token !== "") tokens.push(token);
  }
  return tokens;
}
