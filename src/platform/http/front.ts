import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressRanges } from "../lib/address-ranges.ts";
import { CLIENT_LEFT } from "../lib/client-left.ts";
import type { Clock } from "../lib/clock.ts";
import { newRequestId } from "../lib/id.ts";
import { pooledRandom, type Random } from "../lib/random.ts";
import type { Log } from "../log/log.ts";
import type { HttpMetrics } from "../log/metrics/http.ts";
import { logAccess } from "./access-log.ts";
import { clientAddress } from "./client-address.ts";
import type { ClientRequest, ClientResponse } from "./client-request.ts";
import { allowOrigin, answerPreflight, isPreflight, PREFLIGHT } from "./cors.ts";
import { beginExchange, type Exchange } from "./exchange.ts";
import { familyOf, pathOf } from "./path.ts";
import { admit, type Gates } from "./pipeline.ts";
import type { ListenerPolicy } from "./ports.ts";
import { clientRequestId } from "./request-head.ts";
import type { RouteContract } from "./route.ts";

type Take<Request, Response> = (
  request: Request,
  response: Response,
  policy: ListenerPolicy,
  address: string | null,
) => void;

/** What a listener hands each request to; the address is the peer's, null on the control socket. */
export type Front = Take<IncomingMessage, ServerResponse>;

/** What it hands those to that are for the gateway, whoever read them. */
export type GatewayFront = Take<ClientRequest, ClientResponse>;

/** Routes served in front of the framework, through the same pipeline (the gateway's hot path). */
export interface RawFamily {
  contracts(): readonly RouteContract[];
  serve(exchange: Exchange, request: ClientRequest, response: ClientResponse): void;
}

export interface FrontParts {
  readonly gates: Gates;
  readonly log: Log;
  /** Told of every request, where it is given. */
  readonly metrics?: HttpMetrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  /** Peers whose `X-Forwarded-For` is believed; nobody's unless given. */
  readonly proxies?: AddressRanges | undefined;
  readonly gateway: RawFamily;
}

/** Begins exchanges: each is counted, and a line of the access log when it is over. */
export function exchangeOpener(
  parts: Omit<FrontParts, "gateway" | "gates">,
): (...arrived: Parameters<GatewayFront>) => Exchange {
  const { log, metrics, tools, proxies } = parts;
  const random = pooledRandom(tools.random);
  return (request, response, policy, peer) => {
    const forwardedFor = request.headers["x-forwarded-for"];
    const address =
      peer === null || proxies === undefined ? peer : clientAddress(peer, forwardedFor, proxies);
    const now = tools.clock.now();
    const requestId = clientRequestId(request.headers["x-request-id"]) ?? newRequestId(now, random);
    const exchange = beginExchange(request, policy, {
      requestId,
      address,
      now,
      monotonicMs: performance.now(),
    });
    metrics?.began();
    response.once("close", () => {
      exchange.admission?.release();
      const status = response.headersSent ? response.statusCode : CLIENT_LEFT;
      metrics?.ended(exchange, status);
      logAccess(log, exchange, { status });
    });
    return exchange;
  };
}

function isForGateway(request: ClientRequest): boolean {
  return familyOf(pathOf(request.url ?? "")) === "gateway";
}

/** A request of the gateway's family, a page's preflight too. */
function serveGateway(
  { gates, gateway }: Pick<FrontParts, "gates" | "gateway">,
  exchange: Exchange,
  request: ClientRequest,
  response: ClientResponse,
): void {
  const allowed = allowOrigin(exchange.listener, request, response);
  if (allowed && preflight(gates, exchange, request, response)) return;
  gateway.serve(exchange, request, response);
}

export function gatewayFront(parts: FrontParts): GatewayFront {
  const open = exchangeOpener(parts);
  return (request, response, policy, address) =>
    serveGateway(parts, open(request, response, policy, address), request, response);
}

/** Requests that are not for the gateway go `elsewhere`, unjudged. */
export function gatewayOrElsewhere(gateway: GatewayFront, elsewhere: Front): Front {
  return (request, response, policy, address) => {
    const front = isForGateway(request) ? gateway : elsewhere;
    front(request, response, policy, address);
  };
}

/** Answers a preflight that host and lock let through; what they refuse is the gateway's to say, in its dialect. */
function preflight(
  gates: Gates,
  exchange: Exchange,
  request: ClientRequest,
  response: ClientResponse,
): boolean {
  if (!isPreflight(request)) return false;
  try {
    // At once: it bears no credential that would have to be judged.
    void admit(gates, exchange, request, PREFLIGHT);
  } catch {
    return false;
  }
  answerPreflight(request, response, exchange.requestId);
  return true;
}
