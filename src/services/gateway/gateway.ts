import type { IncomingMessage, ServerResponse } from "node:http";
import type { EgressClient } from "#platform/egress/egress-client.ts";
import { logAccess } from "#platform/http/access-log.ts";
import type { Exchange } from "#platform/http/exchange.ts";
import { admit, authorise, checkBodyHead, type Gates } from "#platform/http/pipeline.ts";
import { type AuditSink, callerId } from "#platform/http/ports.ts";
import { toAppError } from "#platform/http/problem.ts";
import { reportRefusal } from "#platform/http/refusal.ts";
import type { RouteContract } from "#platform/http/route.ts";
import type { RawFamily } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Log } from "#platform/log/log.ts";
import type { Credentials } from "#vault/credentials/index.ts";
import type { Catalogue, RouteTarget } from "./catalogue.ts";
import { readBody } from "./client-body.ts";
import { openaiError } from "./dialects/openai.ts";
import { ANSWER_HEADERS, upstreamHeaders } from "./headers.ts";
import { readJsonBody, replaceModel } from "./json-body.ts";
import { createRedactor } from "./redact.ts";
import { Reply, type ReplyOutcome } from "./reply.ts";
import type { RequestLog } from "./requests/request-log.ts";
import type { RunningRequests } from "./running.ts";

export interface GatewayParts {
  readonly gates: Gates;
  readonly sinks: { readonly audit: AuditSink; readonly log: Log; readonly requests: RequestLog };
  readonly upstream: {
    readonly egress: EgressClient;
    readonly credentials: Credentials;
    readonly catalogue: Catalogue;
  };
  readonly running: RunningRequests;
  readonly bodyLimitBytes: number;
}

const gatewayRoute = (method: "GET" | "POST", path: string, action: string): RouteContract => ({
  method,
  path,
  action,
  openWhileLocked: false,
  family: "gateway",
});
const CHAT = gatewayRoute("POST", "/v1/chat/completions", "gateway.use");
const EMBEDDINGS = gatewayRoute("POST", "/v1/embeddings", "gateway.use");
const MODELS = gatewayRoute("GET", "/v1/models", "models.read");
const MODEL = gatewayRoute("GET", "/v1/models/{model}", "models.read");

/** The OpenAI-dialect routes, served in front of the framework through the pipeline's own functions. */
export function createGateway(parts: GatewayParts): RawFamily {
  return {
    owns: (path) => path === "/v1" || path.startsWith("/v1/"),
    contracts: () => [CHAT, EMBEDDINGS, MODELS, MODEL],
    serve(exchange, request, response) {
      response.on("close", () => logAccess(parts.sinks.log, exchange, { status: response.statusCode }));
      response.on("error", () => response.destroy());
      try {
        const path = pathOf(request);
        const contract = match(exchange.method, path);
        admit(parts.gates, exchange, request, contract ?? { unknown: "gateway" });
        const work =
          contract === CHAT || contract === EMBEDDINGS
            ? forward(parts, exchange, request, response)
            : models(parts, exchange, path, response);
        work.catch((error: unknown) => refuse(parts, exchange, request, response, error));
      } catch (error) {
        refuse(parts, exchange, request, response, error);
      }
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

function match(method: string, path: string): RouteContract | undefined {
  if (method === "POST") return [CHAT, EMBEDDINGS].find((route) => route.path === path);
  if (method !== "GET") return undefined;
  return path === MODELS.path
    ? MODELS
    : path.startsWith("/v1/models/") && path.length > "/v1/models/".length
      ? MODEL
      : undefined;
}

async function forward(
  parts: GatewayParts,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (exchange.head !== undefined) checkBodyHead(exchange.head, parts.bodyLimitBytes);
  if (exchange.head?.contentType?.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
    throw new AppError("unsupported_media_type", "Send the body as application/json.");
  }
  const bytes = await readBody(request, response, parts.bodyLimitBytes);
  const body = readJsonBody(bytes, { maxDepth: 64 });
  if (body.model === undefined || body.modelRange === undefined)
    throw new AppError("bad_request", "The body needs a model, as a string.");
  const target = parts.upstream.catalogue.resolve(body.model);
  authorise(parts.gates, exchange, "gateway.use", `${target.provider.name}/${target.model}`);
  const credential = await parts.upstream.credentials.resolve(
    target.provider.id,
    target.provider.baseUrl.origin,
  );
  const outgoing = target.model === body.model ? bytes : replaceModel(bytes, body.modelRange, target.model);
  const redactor = createRedactor(credential === undefined ? [] : [Buffer.from(credential.expose())]);
  const principal = exchange.caller === undefined ? "unknown" : callerId(exchange.caller);
  const reply: Reply = new Reply(response, {
    requestId: exchange.requestId,
    redactor,
    done: (outcome) => {
      parts.running.remove(principal, reply);
      parts.sinks.requests.add(requestRow(exchange, target, outcome));
    },
  });
  parts.running.add(principal, reply);
  const url = new URL(target.provider.baseUrl);
  url.pathname += (exchange.route?.path ?? "").slice("/v1".length);
  reply.attach(
    parts.upstream.egress.request(
      { url, method: "POST", headers: upstreamHeaders(request.rawHeaders, credential), body: outgoing },
      reply,
    ),
  );
}

function requestRow(exchange: Exchange, target: RouteTarget, outcome: ReplyOutcome) {
  const now = performance.now();
  const sinceStart = (at: number) => Math.round((at - exchange.startedMs) * 100) / 100;
  return {
    time: exchange.time,
    request_id: exchange.requestId,
    principal: exchange.caller === undefined ? "unknown" : callerId(exchange.caller),
    provider: target.provider.name,
    model: target.logged,
    route: exchange.route?.path ?? "unknown",
    status: outcome.status === 0 ? 499 : outcome.status,
    latency_ms: sinceStart(now),
    first_byte_ms: outcome.firstByteMs === null ? null : sinceStart(outcome.firstByteMs),
    streamed: outcome.streamed ? 1 : 0,
  };
}

async function models(
  parts: GatewayParts,
  exchange: Exchange,
  path: string,
  response: ServerResponse,
): Promise<void> {
  await parts.upstream.catalogue.refresh();
  const visible = parts.upstream.catalogue
    .list()
    .filter(
      (entry) =>
        exchange.caller !== undefined &&
        parts.gates.authorizer.allows(exchange.caller, "models.read", entry.id),
    );
  const shaped = visible.map((entry) => ({
    id: entry.id,
    object: "model",
    created: Math.floor(entry.createdAt / 1000),
    owned_by: entry.provider,
  }));
  if (path === MODELS.path) {
    authorise(parts.gates, exchange, "models.read");
    return sendJson(exchange, response, { object: "list", data: shaped });
  }
  const wanted = safeDecode(path.slice("/v1/models/".length));
  const found = shaped.find((entry) => entry.id === wanted || entry.id.endsWith(`/${wanted}`));
  if (found === undefined) throw new AppError("model_not_found");
  sendJson(exchange, response, found);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AppError("bad_request", "The path is not valid percent-encoding.");
  }
}

function sendJson(exchange: Exchange, response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-request-id": exchange.requestId,
    ...ANSWER_HEADERS,
  });
  response.end(body);
}

function refuse(
  parts: GatewayParts,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
): void {
  const error = toAppError(thrown);
  reportRefusal(parts.sinks, exchange, error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const reply = openaiError(error, exchange.requestId);
  const close = request.complete ? {} : { connection: "close" };
  response.writeHead(reply.status, {
    ...reply.headers,
    ...close,
    "content-length": Buffer.byteLength(reply.body),
  });
  response.end(reply.body);
}
