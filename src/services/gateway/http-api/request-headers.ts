import { isForwardingHeader } from "#platform/http/request-head.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { HOP_BY_HOP, headerPairs, nominatedByConnection } from "../headers.ts";
import type { ProviderOptions } from "../providers/options.ts";
import { withExtraHeaders } from "../providers/upstream-options.ts";
import type { Redactor } from "../redact.ts";

/** Where a provider's credential goes unless its options say otherwise (RFC 6750). */
const BEARER = { name: "authorization", prefix: "Bearer " };

const NEVER_FORWARDED = new Set([
  ...HOP_BY_HOP,
  "http2-settings",
  "host",
  "expect",
  // Answers are searched for our credential, which a compressed one would hide.
  "accept-encoding",
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "cookie",
  "cookie2",
  // Where a browser came from is between it and this server; an upstream would answer for its own pages with them.
  "origin",
  "referer",
  // With these some upstreams take another method or path than the one that was allowed here.
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
  "x-host",
  "x-http-host-override",
]);
const NEVER_FORWARDED_PREFIXES = ["sec-", "proxy-", "access-control-request-", "x-claviger-"];

/** What goes out with a request to a published API. */
interface ApiRequest {
  /** The client's, as name, value, name, value. */
  readonly rawHeaders: readonly string[];
  /** Knows what the client presented to this server. */
  readonly own: Redactor;
  readonly credential: Secret | undefined;
  readonly options: ProviderOptions;
}

/**
 * The headers of a request to the upstream of a published API, as name, value, name, value: the client's but for
 * those of this hop, of credentials, cookies, forwarding and browsers, and any that repeats the client's own
 * credential; the provider's extra headers in place of his; and the provider's credential.
 */
export function apiRequestHeaders(request: ApiRequest): string[] {
  const { credential, options } = request;
  const { name: header, prefix } = options.credential_header ?? BEARER;
  const nominated = nominatedByConnection(request.rawHeaders);
  const headers: string[] = [];
  for (const [name, value] of headerPairs(request.rawHeaders)) {
    // Behind CGI and its like `x_api_key` is the same header as `x-api-key`.
    const plain = name.replaceAll("_", "-");
    if (isNeverForwarded(plain) || nominated.has(name) || plain === header.replaceAll("_", "-")) continue;
    if (request.own.header(value) !== value) continue;
    headers.push(name, value);
  }
  headers.push("accept-encoding", "identity");
  const complete = withExtraHeaders(headers, options);
  if (credential !== undefined) complete.push(header, prefix + credential.expose());
  return complete;
}

function isNeverForwarded(name: string): boolean {
  if (NEVER_FORWARDED.has(name) || isForwardingHeader(name)) return true;
  return NEVER_FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix));
}
