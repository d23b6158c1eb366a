import { authorise } from "#platform/http/pipeline.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { GatewayCall, GatewayParts } from "../call.ts";
import { coolDownAfter } from "../providers/cool-down.ts";
import type { Provider } from "../providers/providers.ts";
import { upstreamOptions } from "../providers/upstream-options.ts";
import { createRedactor, type Redactor, redactorFor } from "../redact.ts";
import { ApiReply } from "./api-reply.ts";
import { HTTP_METHODS } from "./http-methods.ts";
import { checkRest, isPublished, type PublishedPath, upstreamTarget } from "./published-path.ts";
import { apiRequestHeaders } from "./request-headers.ts";
import { UploadBody } from "./upload-body.ts";

/**
 * Passes a request on to the API its path names, body and answer as they come. Throws AppError for what is refused
 * before the upstream is asked.
 */
export async function forwardHttpApi(
  parts: GatewayParts,
  call: GatewayCall,
  path: PublishedPath,
): Promise<void> {
  const { exchange, answer } = call;
  const declared = exchange.head?.contentLength ?? 0;
  if (declared > parts.bodyLimitBytes) throw new AppError("body_too_large");
  authorise(parts.gates, exchange, "gateway.use");
  const api = permittedApi(parts, call, path.name);
  call.api = api;
  checkAsked(call, api, path);
  const presented = exchange.head?.credential;
  const own = createRedactor(presented === undefined ? [] : [Buffer.from(presented)]);
  const url = call.request.url ?? "";
  // In whatever place and coding: it must not reach the upstream.
  if (own.header(url) !== url) throw new AppError("credential_in_url");
  const { credentials } = parts.upstream;
  const credential = await credentials.resolve(api.id, api.baseUrl.origin);
  // Ended while it waited, by the client, a revocation or a lock: nothing goes out.
  if (answer.over) return;
  send(parts, call, { api, rest: path.rest, credential, own });
}

/** Existence is told only to who may read it. */
function permittedApi(parts: GatewayParts, call: GatewayCall, name: string): Provider {
  const { caller } = call.exchange;
  const target = `x/${name}`;
  call.exchange.target = target;
  const api = parts.upstream.httpApi(name);
  if (api === undefined || caller === undefined) throw new AppError("not_found");
  if (parts.gates.authorizer.allows(caller, "gateway.use", target)) return api;
  const mayKnow = parts.gates.authorizer.allows(caller, "models.read", target);
  throw new AppError(mayKnow ? "forbidden" : "not_found");
}

function checkAsked(call: GatewayCall, api: Provider, { rest }: PublishedPath): void {
  const { exchange, request, response } = call;
  const methods: readonly string[] = api.options.methods ?? HTTP_METHODS;
  if (!methods.includes(exchange.method)) {
    response.setHeader("allow", methods.join(", "));
    throw new AppError("method_not_allowed");
  }
  checkRest(rest);
  if (!isPublished(rest, api.options.path_prefixes))
    throw new AppError("not_found", "This path is not among those the API publishes.");
  // Any other upgrade is an offer that may be passed over (RFC 9110, 7.8).
  if (/\bwebsocket\b/i.test(request.headers.upgrade ?? "")) throw new AppError("upgrade_not_supported");
  // A coding beneath the chunks would be taken off the request, and not off its body.
  const transferCoding = request.headers["transfer-encoding"] ?? "chunked";
  if (transferCoding.trim().toLowerCase() !== "chunked")
    throw new AppError("bad_request", "Of transfer codings, only chunked is taken.");
}

function send(
  parts: GatewayParts,
  call: GatewayCall,
  to: { api: Provider; rest: string; credential: Secret | undefined; own: Redactor },
): void {
  const { exchange, request, response, answer } = call;
  const { api, credential } = to;
  const { credentials, clock } = parts.upstream;
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const target = upstreamTarget(api.baseUrl, to.rest, mark < 0 ? "" : url.slice(mark));
  const headers = apiRequestHeaders({
    rawHeaders: request.rawHeaders,
    own: to.own,
    credential,
    options: api.options,
  });
  const reply = new ApiReply({
    answer,
    api,
    target,
    redactor: redactorFor(credential),
    variesByOrigin: exchange.listener.allowedOrigins.size > 0,
    onRefused: (status, refusedHeaders) =>
      coolDownAfter(credentials, credential, { status, rawHeaders: refusedHeaders }, clock),
  });
  const outgoing = {
    url: api.baseUrl,
    target,
    method: exchange.method,
    headers,
    upstream: upstreamOptions(api.options),
  };
  const onBroken = (error: AppError) => {
    exchange.errorCode = error.code;
    answer.end(error);
  };
  const body = new UploadBody({ request, response, limitBytes: parts.bodyLimitBytes, onBroken });
  const withBody = announcesBody(call) ? { ...outgoing, body } : outgoing;
  answer.carry(parts.upstream.egress.request(withBody, reply));
}

function announcesBody({ exchange, request }: GatewayCall): boolean {
  return request.headers["transfer-encoding"] !== undefined || (exchange.head?.contentLength ?? 0) > 0;
}
