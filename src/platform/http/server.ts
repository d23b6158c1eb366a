import type { IncomingMessage, ServerResponse } from "node:http";
import fastify, { type FastifyInstance, type FastifyRequest, type FastifySchema } from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { AppError, type ErrorCode } from "../lib/error.ts";
import type { Log } from "../log/log.ts";
import { parseApiBody } from "./api-body.ts";
import { answerHeaders, sendProblem } from "./api-error.ts";
import type { Dashboard, DashboardFile } from "./dashboard.ts";
import type { Exchange } from "./exchange.ts";
import {
  exchangeOpener,
  type Front,
  type FrontParts,
  type GatewayFront,
  gatewayFront,
  gatewayOrElsewhere,
} from "./front.ts";
import { familyOf, isSpelledAs, pathOf } from "./path.ts";
import { admit, authorise, checkBodyHead, checkRoom, type Gates, type Target } from "./pipeline.ts";
import type { AuditSink } from "./ports.ts";
import type { RouteContract } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    contract?: RouteContract;
    /** By the path that each has to be asked for, where the contract stands for several. */
    files?: ReadonlyMap<string, DashboardFile>;
  }
  /** What the API's description says beside the schemas of body, query, path and answers. */
  interface FastifySchema {
    /** One sentence. */
    summary?: string;
    example?: RouteExample;
    /** What the handler throws beside what follows from the contract. */
    errors?: readonly ErrorCode[];
  }
}

/** One call that works and what it is answered. */
export interface RouteExample {
  readonly body?: unknown;
  readonly answer?: unknown;
}

/** A route as it was declared. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
  readonly contract: RouteContract | undefined;
  /** Undefined for what the framework does not serve. */
  readonly schema: FastifySchema | undefined;
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
  readonly gatewayFront: GatewayFront;
  /** Every route that exists, the framework's own additions included. */
  routes(): readonly DeclaredRoute[];
  close(): Promise<void>;
}

const API_BODY_LIMIT_BYTES = 1024 * 1024;
/** In place of the framework's own compilers of schemas, which it would load before it is given others. */
const notUsed = (): never => {
  throw new Error("a schema came before its compiler");
};
const exchanges = new WeakMap<IncomingMessage, Exchange>();

/** The exchange a handler belongs to. */
export function exchangeOf(request: FastifyRequest): Exchange {
  const exchange = exchanges.get(request.raw);
  if (exchange === undefined) throw new Error("a request reached a handler without passing the pipeline");
  return exchange;
}

interface ServerParts extends FrontParts {
  readonly audit: AuditSink;
  readonly register: (api: Api) => void;
  /** The web application, where there is to be one. */
  readonly dashboard?: Dashboard;
}

/** Builds the request side: raw families first, everything else through the framework, all through the pipeline. */
export async function createHttpServer(parts: ServerParts): Promise<HttpServer> {
  const api = createApi(parts);
  const known: DeclaredRoute[] = [];
  api.addHook("onRoute", ({ method, url, config, schema }) => {
    known.push({ method: String(method), path: url, contract: config?.contract, schema });
  });
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  installPipeline(api, parts);
  parts.register(api);
  if (parts.dashboard !== undefined) registerPages(api, parts.dashboard);
  await api.ready();
  const raw = parts.gateway
    .contracts()
    .map((contract) => ({ method: contract.method, path: contract.path, contract, schema: undefined }));
  const gateway = gatewayFront(parts);
  return {
    front: gatewayOrElsewhere(gateway, apiFront(parts, api)),
    gatewayFront: gateway,
    routes: () => [...known, ...raw],
    close: () => api.close(),
  };
}

function createApi(parts: ServerParts): Api {
  return fastify({
    bodyLimit: API_BODY_LIMIT_BYTES,
    exposeHeadRoutes: true,
    routerOptions: { caseSensitive: true },
    schemaController: { compilersFactory: { buildValidator: notUsed, buildSerializer: notUsed } },
    // A path the framework cannot decode runs no hook: it is refused here, by the same gates.
    frameworkErrors: (_error, request, reply) => {
      const exchange = exchangeOf(request);
      try {
        admit(parts.gates, exchange, request.raw, unknownAt(request.raw))?.catch((thrown: unknown) =>
          sendProblem(parts, exchange, { request, reply }, thrown),
        );
      } catch (thrown) {
        sendProblem(parts, exchange, { request, reply }, thrown);
      }
    },
  }).withTypeProvider<ZodTypeProvider>();
}

function apiFront(parts: ServerParts, api: Api): Front {
  const open = exchangeOpener(parts);
  return (request, response, policy, address) => {
    exchanges.set(request, open(request, response, policy, address));
    api.routing(request, response);
  };
}

/** HEAD comes with each. */
function registerPages(api: Api, dashboard: Dashboard): void {
  for (const contract of dashboard.pages)
    api.route({
      method: "GET",
      url: contract.path.replace(/\{(\w+)\}/g, ":$1"),
      config: { contract },
      handler: async (request, reply) => dashboard.sendPage(exchangeOf(request), reply),
    });
  for (const [url, files] of filesByRoute(dashboard.files))
    api.route({
      method: "GET",
      url,
      config: { contract: dashboard.fileContract, files },
      handler: async (request, reply) => {
        const file = files.get(pathOf(request.raw.url ?? ""));
        if (file === undefined) throw new AppError("not_found");
        return dashboard.sendFile(file, request, reply);
      },
    });
}

/** One route for all files of a directory: of one for each the router would make code at every start. */
function filesByRoute(files: readonly DashboardFile[]): Map<string, Map<string, DashboardFile>> {
  const routes = new Map<string, Map<string, DashboardFile>>();
  for (const file of files) {
    const directory = file.path.slice(0, file.path.lastIndexOf("/"));
    // At the top are the pages' paths, which a parameter would take too.
    const url = directory === "" ? file.path : `${directory}/:file`;
    const route = routes.get(url) ?? new Map<string, DashboardFile>();
    routes.set(url, route.set(file.path, file));
  }
  return routes;
}

function installPipeline(
  api: Api,
  options: { gates: Gates; audit: AuditSink; log: Log; dashboard?: Dashboard },
): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (_request: FastifyRequest, body: string | Buffer) => parseApiBody(Buffer.from(body)),
  );
  api.addHook("onRequest", async (request, reply) => {
    const { raw } = request;
    const exchange = exchangeOf(request);
    const { contract, files } = request.routeOptions.config;
    const path = pathOf(raw.url ?? "");
    const asked = contract !== undefined && (files?.has(path) ?? isSpelledAs(contract.path, path));
    await admit(options.gates, exchange, raw, asked ? contract : unknownAt(raw));
    reply.headers(answerHeaders(exchange));
    if (exchange.head !== undefined) checkBodyHead(exchange.head, API_BODY_LIMIT_BYTES);
    // A call without a body needs no content type, and none it bears is judged.
    if (!announcesBody(raw)) delete raw.headers["content-type"];
    else if (raw.headers.expect?.toLowerCase() === "100-continue") reply.raw.writeContinue();
  });
  api.addHook("preHandler", async (request) => {
    const contract = request.routeOptions.config.contract;
    if (contract === undefined) return;
    authorise(options.gates, exchangeOf(request), contract.action);
    checkRoom(options.gates, contract);
  });
  api.setErrorHandler(async (thrown, request, reply) => {
    const exchange = exchangeOf(request);
    const missing =
      thrown instanceof AppError ? options.dashboard?.sendMissing(thrown, exchange, reply) : undefined;
    return missing ?? sendProblem(options, exchange, { request, reply }, thrown);
  });
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
