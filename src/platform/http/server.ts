import type { IncomingMessage, ServerResponse } from "node:http";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/error.ts";
import { newId } from "../lib/id.ts";
import type { Random } from "../lib/random.ts";
import type { Log } from "../log/log.ts";
import { logAccess } from "./access-log.ts";
import { parseApiBody } from "./api-body.ts";
import { beginExchange, type Exchange } from "./exchange.ts";
import type { Front } from "./listener.ts";
import { admit, authorise, checkBodyHead, type Gates } from "./pipeline.ts";
import type { AuditSink } from "./ports.ts";
import { errorHeaders, toAppError, toProblem } from "./problem.ts";
import { reportRefusal } from "./refusal.ts";
import { clientRequestId } from "./request-head.ts";
import type { RouteContract } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    contract?: RouteContract;
  }
}

/** Routes served in front of the framework, through the same pipeline (the gateway's hot path). */
export interface RawFamily {
  owns(path: string): boolean;
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

/** Builds the request side: raw families first, everything else through the framework, all through the pipeline. */
export async function createHttpServer(options: {
  gates: Gates;
  audit: AuditSink;
  log: Log;
  tools: { clock: Clock; random: Random };
  gateway: RawFamily;
  register: (api: Api) => void;
}): Promise<HttpServer> {
  const api = fastify({
    bodyLimit: API_BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    routerOptions: { caseSensitive: true },
  }).withTypeProvider<ZodTypeProvider>();
  const known: { method: string; path: string; contract: RouteContract | undefined }[] = [];
  api.addHook("onRoute", (route) => {
    known.push({ method: String(route.method), path: route.url, contract: route.config?.contract });
  });
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  installPipeline(api, options);
  options.register(api);
  await api.ready();
  const front: Front = (request, response, policy) => {
    const requestId = clientRequestId(request.headers["x-request-id"]) ?? newId("req", options.tools.random);
    const exchange = beginExchange(request, policy, {
      requestId,
      now: options.tools.clock.now(),
      monotonicMs: performance.now(),
    });
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    if (options.gateway.owns(mark < 0 ? url : url.slice(0, mark)))
      return options.gateway.serve(exchange, request, response);
    exchanges.set(request, exchange);
    api.routing(request, response);
  };
  const raw = options.gateway
    .contracts()
    .map((contract) => ({ method: contract.method, path: contract.path, contract }));
  return { front, routes: () => [...known, ...raw], close: () => api.close() };
}

function installPipeline(api: Api, options: { gates: Gates; audit: AuditSink; log: Log }): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    async (_request: FastifyRequest, body: string | Buffer) => parseApiBody(String(body)),
  );
  api.addHook("onRequest", async (request, reply) => {
    const exchange = exchangeOf(request);
    reply.header("x-request-id", exchange.requestId);
    reply.header("x-content-type-options", "nosniff");
    reply.header("cache-control", "no-store");
    const unknown = request.raw.url?.startsWith("/api") === true ? "api" : "page";
    admit(options.gates, exchange, request.raw, request.routeOptions.config.contract ?? { unknown });
    if (exchange.head !== undefined) checkBodyHead(exchange.head, API_BODY_LIMIT_BYTES);
  });
  api.addHook("preHandler", async (request) => {
    const contract = request.routeOptions.config.contract;
    if (contract !== undefined) authorise(options.gates, exchangeOf(request), contract.action);
  });
  api.setErrorHandler(async (thrown, request, reply) => {
    const exchange = exchangeOf(request);
    const error = frameworkError(thrown);
    reportRefusal(options, exchange, error);
    if (!request.raw.complete) reply.header("connection", "close");
    return reply
      .code(error.status)
      .headers(errorHeaders(error))
      .type("application/problem+json")
      .send(JSON.stringify(toProblem(error, exchange.requestId)));
  });
  api.setNotFoundHandler(async () => {
    throw new AppError("not_found");
  });
  api.addHook("onResponse", async (request, reply) =>
    logAccess(options.log, exchangeOf(request), { status: reply.statusCode }),
  );
}

function frameworkError(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown);
  const code = "code" in thrown ? thrown.code : undefined;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return new AppError("body_too_large");
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new AppError("unsupported_media_type", "Send the body as application/json.");
  if (code === "FST_ERR_VALIDATION") {
    const unknown = thrown.message.toLowerCase().includes("unrecognized key");
    return new AppError(unknown ? "unknown_field" : "bad_request", thrown.message);
  }
  if ("statusCode" in thrown && thrown.statusCode === 400) return new AppError("bad_request");
  return toAppError(thrown);
}
