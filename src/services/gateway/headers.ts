import { ANSWER_HEADERS } from "#platform/http/gateway-headers.ts";
import { knownNames } from "#platform/lib/known-names.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { KindFacts } from "./providers/kind.ts";
import type { Redactor } from "./redact.ts";
import type { UsageDialect } from "./usage/token-usage.ts";

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
const NO_NAMES: ReadonlySet<string> = new Set();
const DROPPED_PREFIXES = ["access-control-", "content-security-policy", "x-claviger-"];
const facts = knownNames((name) => ({
  name,
  isCredential: CREDENTIAL_HEADERS.has(name),
  isForwarded: { openai: FORWARDED.openai.has(name), anthropic: FORWARDED.anthropic.has(name) },
  isDropped: DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix)),
}));

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
  const { name: header, prefix } = kind.credentialHeader;
  const headers = credential === undefined ? [] : [header, prefix + credential.expose()];
  headers.push("accept-encoding", "identity");
  const presented: string[] = [];
  const forwarded: string[] = [];
  let nominated = NO_NAMES;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const { name, isCredential, isForwarded } = facts(rawHeaders[index] ?? "");
    const value = rawHeaders[index + 1] ?? "";
    if (isCredential) presented.push(presentedIn(value));
    else if (isForwarded[kind.dialect]) forwarded.push(name, value);
    else if (name === "connection") nominated = withNominated(nominated, value);
  }
  for (let index = 0; index < forwarded.length; index += 2) {
    const name = forwarded[index] ?? "";
    const value = forwarded[index + 1] ?? "";
    if (nominated.has(name) || (isNamedIn(headers, name) && !LISTS.has(name))) continue;
    if (!presented.some((token) => token !== "" && value.includes(token))) headers.push(name, value);
  }
  if (kind.dialect === "anthropic" && !isNamedIn(headers, DEFAULT_VERSION[0]))
    headers.push(...DEFAULT_VERSION);
  return headers;
}

/**
 * The headers of the answer to the client, as name, value, name, value: the upstream's without hop-by-hop ones and
 * those that would act on the client's browser or name the upstream's machine, redacted, and `ANSWER_HEADERS`.
 * The caller sets content-length or transfer-encoding, and x-request-id.
 */
export function clientHeaders(upstreamRawHeaders: readonly string[], redactor: Redactor): string[] {
  let nominated = NO_NAMES;
  const headers: string[] = [];
  // Indexed, not by `headerPairs`: on the hot path a generator costs more than what it gives.
  for (let index = 0; index + 1 < upstreamRawHeaders.length; index += 2) {
    const { name, isDropped } = facts(upstreamRawHeaders[index] ?? "");
    const value = upstreamRawHeaders[index + 1] ?? "";
    if (name === "connection") nominated = withNominated(nominated, value);
    if (!isDropped) headers.push(name, redactor.header(value));
  }
  const kept = nominated.size === 0 ? headers : withoutNamed(headers, nominated);
  kept.push(...ANSWER_HEADER_PAIRS);
  return kept;
}

/** Names in lower case with their values, of headers as name, value, name, value. */
export function* headerPairs(rawHeaders: readonly string[]): Generator<readonly [string, string]> {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    yield [(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""];
  }
}

/** `headers` with `own` in place of those so named; both as name, value, name, value, the names in lower case. */
export function withOwn(headers: readonly string[], own: readonly string[]): string[] {
  let kept = headers;
  for (let at = 0; at < own.length; at += 2)
    if (isNamedIn(kept, own[at] ?? "")) kept = withoutNamed(kept, new Set([own[at] ?? ""]));
  return kept.concat(own);
}

/** RFC 9110, 7.6.1: a header named in Connection is for this hop alone. */
export function nominatedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> {
  let names = NO_NAMES;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    if (facts(rawHeaders[index] ?? "").name === "connection")
      names = withNominated(names, rawHeaders[index + 1] ?? "");
  return names;
}

/** `names` and those that one Connection header nominates. */
function withNominated(names: ReadonlySet<string>, connection: string): ReadonlySet<string> {
  // What nearly all send: it names no header.
  if (connection === "keep-alive") return names;
  return new Set([...names, ...connection.split(",").map((name) => name.trim().toLowerCase())]);
}

function withoutNamed(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_text, at) => !names.has(headers[at - (at % 2)] ?? ""));
}

function isNamedIn(headers: readonly string[], name: string): boolean {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return true;
  return false;
}

/** The credential itself, behind its scheme; empty for none. */
function presentedIn(header: string): string {
  const value = header.trim();
  return value.slice(Math.max(value.lastIndexOf(" "), value.lastIndexOf("\t")) + 1);
}
