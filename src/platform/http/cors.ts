import type { ClientRequest, ClientResponse } from "./client-request.ts";
import { ANSWER_HEADERS } from "./gateway-headers.ts";
import type { ListenerPolicy } from "./ports.ts";
import { OPEN, type RouteContract } from "./route.ts";

/** What a preflight passes through the gates as: behind the host and the lock, before any credential. */
export const PREFLIGHT: RouteContract = {
  method: "OPTIONS",
  path: "/v1/{preflight}",
  action: OPEN,
  openWhileLocked: false,
  family: "gateway",
};

/** Request headers the clients of AI providers send from a page. */
const ALLOWED_HEADERS =
  /^(?:authorization|content-type|accept|x-api-key|api-key|x-goog-api-key|x-request-id|idempotency-key|openai-(?:beta|organization|project)|anthropic-(?:version|beta|dangerous-direct-browser-access)|x-stainless-[a-z0-9-]+)$/;
/** A published API has headers of its own; these are none that a page may send, or that are passed on. */
const NOT_FOR_AN_API = /^(?:cookie2?|host|origin|referer|via|(?:sec|proxy|access-control)-.*)$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;
const EXPOSED_HEADERS = "x-request-id, request-id, retry-after, x-should-retry, x-claviger-locked";
const EXPOSED_OF_AN_API = "accept-ranges, allow, content-range, etag, link, location, x-claviger-target";
const PREFLIGHT_AGE_S = "600";

/**
 * Lets a page of an origin that was configured read the gateway's answer, an error or a stream too: sets the headers
 * on `response`, whoever sends it. No other origin gets any, and cookies never count. Gives whether the origin is one.
 */
export function allowOrigin(
  policy: ListenerPolicy,
  request: ClientRequest,
  response: ClientResponse,
): boolean {
  if (policy.kind === "control" || policy.allowedOrigins.size === 0) return false;
  response.setHeader("vary", "origin");
  const { origin } = request.headers;
  if (origin === undefined || !policy.allowedOrigins.has(origin)) return false;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader(
    "access-control-expose-headers",
    isOfAnApi(request) ? `${EXPOSED_HEADERS}, ${EXPOSED_OF_AN_API}` : EXPOSED_HEADERS,
  );
  return true;
}

/** Whether a browser asks what it may send (https://fetch.spec.whatwg.org/#cors-preflight-request). */
export function isPreflight(request: ClientRequest): boolean {
  return request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
}

/** The answer to a preflight whose origin `allowOrigin` has let in. */
export function answerPreflight(request: ClientRequest, response: ClientResponse, requestId: string): void {
  const asked = (request.headers["access-control-request-headers"] ?? "").toLowerCase().split(",");
  const ofAnApi = isOfAnApi(request);
  const mayBeSent = (name: string) =>
    ofAnApi ? HEADER_NAME.test(name) && !NOT_FOR_AN_API.test(name) : ALLOWED_HEADERS.test(name);
  const allowed = asked.map((name) => name.trim()).filter(mayBeSent);
  response.writeHead(204, {
    ...ANSWER_HEADERS,
    vary: "origin, access-control-request-headers",
    "access-control-allow-methods": ofAnApi ? "GET, HEAD, POST, PUT, PATCH, DELETE" : "GET, POST",
    ...(allowed.length > 0 && { "access-control-allow-headers": allowed.join(", ") }),
    "access-control-max-age": PREFLIGHT_AGE_S,
    "x-request-id": requestId,
  });
  response.end();
}

function isOfAnApi(request: ClientRequest): boolean {
  return request.url?.startsWith("/x/") === true;
}
