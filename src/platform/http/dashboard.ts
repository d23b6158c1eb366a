import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AppError } from "../lib/error.ts";
import type { Random } from "../lib/random.ts";
import { answerHeaders } from "./api-error.ts";
import type { Exchange } from "./exchange.ts";
import { familyOf, pathOf } from "./path.ts";
import { OPEN, type RouteContract } from "./route.ts";

/** A file of the web application, whole in memory. */
export interface DashboardFile {
  /** `/favicon.svg`: exactly so, and nothing that resembles it. */
  readonly path: string;
  readonly mediaType: string;
  /** Its name changes with its content, so that a browser may keep it for good. */
  readonly immutable: boolean;
  /** Quoted, as it stands in the header. */
  readonly etag: string;
  readonly plain: Buffer;
  /** The same compressed, by coding; empty where that does not pay. */
  readonly coded: ReadonlyMap<"br" | "gzip", Buffer>;
}

/** The web application as it was built. */
export interface DashboardFiles {
  /** Paths of its pages, `/providers/:name` among them. */
  readonly pages: readonly string[];
  /** The one document of all pages, cut where the nonce belongs. */
  readonly document: readonly string[];
  readonly files: readonly DashboardFile[];
}

/** What the server does with the web application. */
export interface Dashboard {
  readonly pages: readonly RouteContract[];
  readonly files: readonly DashboardFile[];
  /** Of each of the files. */
  readonly fileContract: RouteContract;
  sendPage(exchange: Exchange, reply: FastifyReply, status?: number): FastifyReply;
  sendFile(file: DashboardFile, request: FastifyRequest, reply: FastifyReply): FastifyReply;
  /** Answers a browser that navigated to a page which does not exist; undefined where it is no such request. */
  sendMissing(error: AppError, exchange: Exchange, reply: FastifyReply): FastifyReply | undefined;
}

const NOT_BUILT =
  "The dashboard of this Claviger is not built.\n" +
  "In its checkout, run: npm run build:web\nThen start the server again. Everything but the dashboard works without it.\n";
const A_YEAR_S = 365 * 24 * 60 * 60;
const NONCE_BYTES = 16;
/** In the order of preference. */
const CODINGS = ["br", "gzip"] as const;
const CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Pages of other origins neither frame nor read nor open what is answered with these. */
const ISOLATED = {
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};
const PERMISSIONS =
  "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), payment=(), usb=()";
/** One for all files: their names are many and change with each build. */
const FILE: RouteContract = {
  method: "GET",
  path: "/{file}",
  action: OPEN,
  openWhileLocked: true,
  family: "page",
};

/** Serves `files`; without any it tells browsers how to build them. */
export function createDashboard(files: DashboardFiles | undefined, random: Random): Dashboard {
  const { pages = [], document = [] } = files ?? {};
  const sendPage: Dashboard["sendPage"] = (exchange, reply, status = 200) => {
    const nonce = random.bytes(NONCE_BYTES).toString("base64");
    return reply
      .code(status)
      .headers({ ...answerHeaders(exchange), ...ISOLATED })
      .headers({ "content-security-policy": pagePolicy(nonce), "permissions-policy": PERMISSIONS })
      .type("text/html; charset=utf-8")
      .send(document.join(nonce));
  };
  return {
    pages: pages.map(pageContract),
    files: files?.files ?? [],
    fileContract: FILE,
    sendPage,
    sendFile,
    sendMissing: (error, exchange, reply) => {
      if (error.code !== "not_found" || !isNavigation(exchange, reply.request.raw)) return undefined;
      exchange.errorCode = error.code;
      if (files !== undefined) return sendPage(exchange, reply, error.status);
      return reply
        .code(error.status)
        .headers(answerHeaders(exchange))
        .type("text/plain; charset=utf-8")
        .send(NOT_BUILT);
    },
  };
}

function pagePolicy(nonce: string): string {
  const own = `'self' 'nonce-${nonce}'`;
  return (
    `default-src 'none'; script-src ${own}; style-src ${own}; img-src 'self' data:; font-src 'self'; ` +
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  );
}

function pageContract(path: string): RouteContract {
  return {
    method: "GET",
    path: path.replace(/:(\w+)/g, "{$1}"),
    action: OPEN,
    openWhileLocked: "navigation",
    family: "page",
  };
}

function sendFile(file: DashboardFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { "accept-encoding": accepted, "if-none-match": known } = request.headers;
  const coding = CODINGS.find((each) => file.coded.has(each) && accepts(accepted, each));
  reply.headers({ ...ISOLATED, "content-security-policy": CLOSED, etag: file.etag });
  reply.header("cache-control", file.immutable ? `public, max-age=${A_YEAR_S}, immutable` : "no-cache");
  if (file.coded.size > 0) reply.header("vary", "accept-encoding");
  if (known !== undefined && isAmong(file.etag, known)) return reply.code(304).send();
  if (coding !== undefined) reply.header("content-encoding", coding);
  return reply
    .type(file.mediaType)
    .send(coding === undefined ? file.plain : (file.coded.get(coding) ?? file.plain));
}

/** Whether the header Accept-Encoding takes this coding (RFC 9110, 12.5.3); one of weight 0 is refused. */
function accepts(header: string | string[] | undefined, coding: string): boolean {
  const offers = String(header ?? "").split(",");
  return offers.some((offer) => {
    const [name = "", ...parameters] = offer.split(";").map((part) => part.trim().toLowerCase());
    return name === coding && !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter));
  });
}

/** As If-None-Match compares: a weak tag is the same as the strong one (RFC 9110, 13.1.2). */
function isAmong(etag: string, header: string): boolean {
  return header.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}

/** Whether a browser was sent to a path that is nobody's, where pages are served. */
function isNavigation({ listener, route, method, head }: Exchange, request: IncomingMessage): boolean {
  const reads = method === "GET" || method === "HEAD";
  const isPage = familyOf(pathOf(request.url ?? "")) === "page";
  const isServed = listener.serves.has("dashboard");
  return reads && isPage && isServed && route === undefined && head?.takesPages === true;
}
