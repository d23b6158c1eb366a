import { clientHeaders, headerPairs } from "../headers.ts";
import type { Provider } from "../providers/providers.ts";
import type { Redactor } from "../redact.ts";

/**
 * Beside what every gateway answer leaves out: headers that make a browser fetch, store or report something for this
 * origin, and those by which a proxy in front of this server would send another file in the answer's place.
 */
const DROPPED = new Set([
  "accept-ch",
  "activate-storage-access",
  "critical-ch",
  "document-policy",
  "expect-ct",
  "link-template",
  "no-vary-search",
  "observe-browsing-topics",
  "origin-agent-cluster",
  "permissions-policy",
  "public-key-pins",
  "public-key-pins-report-only",
  "service-worker-navigation-preload",
  "set-login",
  "sourcemap",
  "speculation-rules",
  "supports-loading-mode",
  "timing-allow-origin",
  "use-as-dictionary",
  "x-dns-prefetch-control",
  "x-lighttpd-send-file",
  "x-powered-by",
  "x-reproxy-url",
  "x-sendfile",
  "x-sourcemap",
]);
const DROPPED_PREFIXES = ["attribution-reporting-", "cross-origin-", "proxy-", "sec-", "x-accel-"];
/** No body follows; a length would be taken for one that does. */
const WITHOUT_LENGTH = new Set([204, 205]);

/** An upstream's answer, and which API it is of. */
interface ApiAnswerHead {
  readonly status: number;
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[];
  readonly api: Provider;
  /** What the upstream was asked for: path and query. */
  readonly target: string;
  readonly redactor: Redactor;
  /** Whether this server itself answers by origin, so that caches must tell origins apart. */
  readonly variesByOrigin: boolean;
}

/**
 * The headers of the answer to the client, as name, value, name, value; the length is the upstream's. `Location`, of
 * something that was made, is kept where it lies in the published API, and then names it as the client reaches it.
 */
export function apiAnswerHeaders(head: ApiAnswerHead): string[] {
  const { rawHeaders, redactor, api } = head;
  const headers: string[] = [];
  for (const [name, value] of headerPairs(clientHeaders(rawHeaders, redactor))) {
    if (DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    headers.push(name, value);
  }
  for (const [name, value] of headerPairs(rawHeaders)) {
    if (name === "content-length" && !WITHOUT_LENGTH.has(head.status)) headers.push(name, value);
    const location = name === "location" ? publishedLocation(value, head) : undefined;
    if (location !== undefined) headers.push(name, redactor.header(location));
  }
  if (head.variesByOrigin) headers.push("vary", "origin");
  headers.push("x-claviger-target", `x/${api.name}`);
  return headers;
}

function publishedLocation(
  location: string,
  { api, target }: Pick<ApiAnswerHead, "api" | "target">,
): string | undefined {
  const { baseUrl } = api;
  const url = URL.parse(location, baseUrl.origin + target);
  const base = baseUrl.pathname === "/" ? "" : baseUrl.pathname;
  if (url === null || url.origin !== baseUrl.origin || !`${url.pathname}/`.startsWith(`${base}/`))
    return undefined;
  return `/x/${api.name}${url.pathname.slice(base.length)}${url.search}`;
}
