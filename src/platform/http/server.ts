import type { IncomingMessage, ServerResponse } from "node:http";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { CLIENT_LEFT } from "../lib/client-left.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/error.ts";
import { newId } from "../lib/id.ts";
import { pooledRandom, type Random } from "../lib/random.ts";
import type { Log } from "../log/log.ts";
import type { HttpMetrics } from "../log/metrics/http.ts";
import { logAccess } from "./access-log.ts";
import { parseApiBody } from "./api-body.ts";
import { answerHeaders, sendProblem } from "./api-error.ts";
import { allowOrigin, answerPreflight, isPreflight, PREFLIGHT } from "./cors.ts";
import { beginExchange, type Exchange } from "./exchange.ts";
import type { Front } from "./listener.ts";
import { familyOf, isSpelledAs, pathOf } from "./path.ts";
import { admit, authorise, checkBodyHead, type Gates, type Target } from "./pipeline.ts";
import type { AuditSink } from "./ports.ts";
import { clientRequestId } from "./request-head.ts";
import type { RouteContract } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    contract?: RouteContract;
  }
}

/** Routes served in front of the framework, through the same pipeline (the gateway's hot path). */
export interface RawFamily {
  contracts(): readonly RouteContract[];
  serve(exchange: Exchange, request: IncomingMessage, response: ServerResponse): void;
}

export type Api = FastifyInstance<
  import("fastify").RawServerDefault,
  IncomingMessage,
  ServerResponse,
  import("fastify").FastifyBaseLogger,
  ZodTypeProvider
>;

export interface HttpServer {
  readonly front: Front;
  /** Every route that exists, the framework's own additions included. */
  routes(): readonly {
    readonly method: string;
    readonly path: string;
    readonly contract: RouteContract | undefined;
  }[];
  close(): Promise<void>;
}

const API_BODY_LIMIT_BYTES = 1024 * 1024;
const exchanges = new WeakMap<IncomingMessage, Exchange>();

/** The exchange a handler belongs to. */
export function exchangeOf(request: FastifyRequest): Exchange {
  const exchange = exchanges.get(request.raw);
  if (exchange === undefined) throw new Error("a request reached a handler without passing the pipeline");
  return exchange;
}

interface ServerParts {
  readonly gates: Gates;
  readonly audit: AuditSink;
  readonly log: Log;
  /** Told of every request, where it is given. */
  readonly metrics?: HttpMetrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly gateway: RawFamily;
  readonly register: (api: Api) => void;
}

/** Builds the request side: raw families first, everything else through the framework, all through the pipeline. */
export async function createHttpServer(parts: ServerParts): Promise<HttpServer> {
  const api = createApi(parts);
  const known: { method: string; path: string; contract: RouteContract | undefined }[] = [];
  api.addHook("onRoute", (route) => {
    known.push({ method: String(route.method), path: route.url, contract: route.config?.contract });
  });
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  installPipeline(api, parts);
  parts.register(api);
  await api.ready();
  const raw = parts.gateway
    .contracts()
    .map((contract) => ({ method: contract.method, path: contract.path, contract }));
  return { front: createFront(parts, api), routes: () => [...known, ...raw], close: () => api.close() };
}

function createApi(parts: ServerParts): Api {
  return fastify({
    bodyLimit: API_BODY_LIMIT_BYTES,
    exposeHeadRoutes: true,
    routerOptions: { caseSensitive: true },
    // A path the framework cannot decode runs no hook: it is refused here, by the same gates.
    frameworkErrors: (_error, request, reply) => {
      const exchange = exchangeOf(request);
      try {
        admit(parts.gates, exchange, request.raw, unknownAt(request.raw));
      } catch (thrown) {
        sendProblem(parts, exchange, { request, reply }, thrown);
      }
    },
  }).withTypeProvider<ZodTypeProvider>();
}

function createFront(parts: ServerParts, api: Api): Front {
  const { gateway, log, metrics, tools } = parts;
  const random = pooledRandom(tools.random);
  return (request, response, policy) => {
    const requestId = clientRequestId(request.headers["x-request-id"]) ?? newId("req", random);
    const exchange = beginExchange(request, policy, {
      requestId,
      now: tools.clock.now(),
      monotonicMs: performance.now(),
    });
    metrics?.began();
    response.once("close", () => {
      exchange.admission?.release();
      const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
      metrics?.ended(exchange, status);
      logAccess(log, exchange, { status });
    });
    if (familyOf(pathOf(request.url ?? "")) === "gateway") {
      const allowed = allowOrigin(policy, request, response);
      if (allowed && preflight(parts.gates, exchange, request, response)) return;
      return gateway.serve(exchange, request, response);
    }
    exchanges.set(request, exchange);
    api.routing(request, response);
  };
}

function installPipeline(api: Api, options: { gates: Gates; audit: AuditSink; log: Log }): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (_request: FastifyRequest, body: string | Buffer) => parseApiBody(Buffer.from(body)),
  );
  api.addHook("onRequest", async (request, reply) => {
    const { raw } = request;
    const exchange = exchangeOf(request);
    const { contract } = request.routeOptions.config;
    const asked = contract !== undefined && isSpelledAs(contract.path, pathOf(raw.url ?? ""));
    admit(options.gates, exchange, raw, asked ? contract : unknownAt(raw));
    reply.headers(answerHeaders(exchange));
    if (exchange.head !== undefined) checkBodyHead(exchange.head, API_BODY_LIMIT_BYTES);
    // A call without a body needs no content type, and none it bears is judged.
    if (!announcesBody(raw)) delete raw.headers["content-type"];
    else if (raw.headers.expect?.toLowerCase() === "100-continue") reply.raw.writeContinue();
  });
  api.addHook("preHandler", async (request) => {
    const contract = request.routeOptions.config.contract;
    if (contract !== undefined) authorise(options.gates, exchangeOf(request), contract.action);
  });
  api.setErrorHandler(async (thrown, request, reply) =>
    sendProblem(options, exchangeOf(request), { request, reply }, thrown),
  );
  api.setNotFoundHandler(async () => {
    throw new AppError("not_found");
  });
}

function unknownAt(request: IncomingMessage): Target {
  return { unknown: familyOf(pathOf(request.url ?? "")) };
}

function announcesBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Answers a preflight that host and lock let through; what they refuse is the gateway's to say, in its dialect. */
function preflight(
  gates: Gates,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (!isPreflight(request)) return false;
  try {
    admit(gates, exchange, request, PREFLIGHT);
  } catch {
    return false;
  }
  answerPreflight(request, response, exchange.requestId);
  return true;
}
