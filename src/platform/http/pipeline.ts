import type { IncomingMessage } from "node:http";
import { AppError } from "../lib/error.ts";
import { anonymousAt, mayEnter } from "./entry.ts";
import type { Exchange } from "./exchange.ts";
import { hostName, isAllowedHost } from "./host.ts";
import type {
  AddressLimit,
  Authenticator,
  Authorizer,
  Caller,
  CallerLimits,
  LockGate,
  RefusalReason,
  Service,
  Verdict,
} from "./ports.ts";
import { hasCredentialInQuery, type RequestHead, readHead } from "./request-head.ts";
import { OPEN, type RouteContract } from "./route.ts";

export interface Gates {
  readonly lock: LockGate;
  readonly authenticator: Authenticator;
  readonly addressLimit: AddressLimit;
  readonly callerLimits: CallerLimits;
  readonly authorizer: Authorizer;
}

const LOCAL: Caller = { kind: "local" };

/** What a request asks for: a declared route, or a path nobody declared in one of the families. */
export type Target = RouteContract | { readonly unknown: RouteContract["family"] | "page" };

/**
 * Everything before the body is read, in the one order: head and host, locked gate, origin, authenticate, limit by principal.
 * Every request on every listener passes here; the gateway's hot path calls the same function.
 * Throws AppError; afterwards `exchange.caller` is set unless the route is open. Gives a promise where a credential takes
 * long to judge: then everything said here holds for that.
 */
export function admit(
  gates: Gates,
  exchange: Exchange,
  request: IncomingMessage,
  asked: Target,
): Promise<void> | undefined {
  const service = serviceOf(asked);
  const gateway = service === "gateway";
  const served = service === "probe" || exchange.listener.serves.has(service);
  // What is not served here is met as what nobody declared, so that a stranger cannot tell the two apart.
  const target = served ? asked : NOT_SERVED[service];
  exchange.route = "unknown" in target ? undefined : target;
  // `GET http://host/path` is how one speaks to a proxy, and names a second host beside the Host header.
  if (request.url?.startsWith("/") !== true)
    throw new AppError("bad_request", "The request target must be a path.");
  const head = readHead(request, gateway);
  exchange.head = head;
  const control = exchange.listener.kind === "control";
  if (!control) checkHost(exchange, head);
  if (isShut(gates, exchange)) throw new AppError("server_locked");
  if (!control && service !== "probe" && service !== "dashboard") checkOrigin(exchange, head);
  if (service === "dashboard") throw new AppError("not_found");
  if ("unknown" in target || target.action !== OPEN) {
    const judging = authenticate(gates, exchange, request, { head, service });
    if (judging !== undefined) return judging.then(() => letIn(gates, exchange, target));
    limitCaller(gates, exchange);
  }
  if ("unknown" in target) throw new AppError("not_found");
  return undefined;
}

/** What follows once it is known who asks. */
function letIn(gates: Gates, exchange: Exchange, target: Target): void {
  limitCaller(gates, exchange);
  if ("unknown" in target) throw new AppError("not_found");
}

const NOT_SERVED = {
  gateway: { unknown: "gateway" },
  api: { unknown: "api" },
  events: { unknown: "api" },
  dashboard: { unknown: "page" },
} as const satisfies Record<Service, Target>;

function serviceOf(target: Target): Service | "probe" {
  const family = "unknown" in target ? target.unknown : target.family;
  if (family === "page") return "dashboard";
  return "path" in target && target.path === "/sse" ? "events" : family;
}

/**
 * After validation: may this caller do what the route declares, on `name` where the action has objects? The body has
 * arrived since he was let in, so the lock and his key are looked at once more.
 */
export function authorise(gates: Gates, exchange: Exchange, action: string, name?: string): void {
  if (name !== undefined) exchange.target = name;
  if (isShut(gates, exchange)) throw new AppError("server_locked");
  if (action === OPEN) return;
  if (exchange.caller !== undefined && !gates.authenticator.holds(exchange.caller)) {
    exchange.refusal = "revoked";
    throw new AppError("invalid_token");
  }
  if (exchange.caller === undefined || !gates.authorizer.allows(exchange.caller, action, name))
    throw new AppError("forbidden", `This principal lacks the permission ${action}.`);
}

/** Whether the server is locked, and this is nothing that works all the same. */
function isShut({ lock }: Gates, { route, listener }: Exchange): boolean {
  if (!lock.isLocked() || route?.openWhileLocked === true) return false;
  return route?.openWhileLocked !== "local" || listener.kind !== "control";
}

/** Declared sizes and codings, judged before a byte of the body is read. */
export function checkBodyHead(head: RequestHead, limitBytes: number): void {
  const coding = head.contentEncoding?.toLowerCase() ?? "identity";
  if (coding !== "identity") throw new AppError("unsupported_media_type", "Send the body uncompressed.");
  if (head.contentLength !== undefined && head.contentLength > limitBytes)
    throw new AppError("body_too_large");
}

function checkHost(exchange: Exchange, head: RequestHead): void {
  if (head.host === undefined) throw new AppError("bad_request", "The Host header is missing.");
  const name = hostName(head.host);
  if (name === undefined || !isAllowedHost(name, exchange.listener.allowedHosts))
    throw new AppError("wrong_host");
}

/** A right that comes with the browser, not with a key, must not be used by a page of another origin. */
function checkOrigin(exchange: Exchange, head: RequestHead): void {
  if (head.credential !== undefined) return;
  if (head.origin !== undefined) {
    if (exchange.listener.allowedOrigins.has(head.origin)) return;
    const scheme = exchange.listener.secure ? "https" : "http";
    if (head.origin.toLowerCase() !== `${scheme}://${head.host ?? ""}`.toLowerCase())
      throw new AppError("cross_origin");
  }
  const site = head.fetchSite;
  if (site !== undefined && site !== "same-origin" && site !== "none") throw new AppError("cross_origin");
}

function authenticate(
  gates: Gates,
  exchange: Exchange,
  request: IncomingMessage,
  { head, service }: { head: RequestHead; service: Service | "probe" },
): Promise<void> | undefined {
  if (head.conflict) throw new AppError("credential_conflict");
  const inUrl = hasCredentialInQuery(request.url ?? "");
  const { listener, address } = exchange;
  if (listener.kind === "control") {
    exchange.caller = LOCAL;
  } else {
    exchange.caller =
      head.credential === undefined && !inUrl ? anonymousAt(listener, { head, address, service }) : undefined;
    if (exchange.caller === undefined) {
      const verdict = gates.authenticator.authenticate(head.credential, exchange);
      if (verdict instanceof Promise)
        return verdict.then((settled) => identified(gates, exchange, settled, inUrl));
      identified(gates, exchange, verdict, inUrl);
      return undefined;
    }
  }
  if (inUrl) throw new AppError("credential_in_url");
  return undefined;
}

/** One who may not come in by this listener costs and is told what a wrong credential is. */
function identified(gates: Gates, exchange: Exchange, verdict: Verdict, inUrl: boolean): void {
  if (!("caller" in verdict) || !mayEnter(exchange.listener.entry, verdict.caller)) {
    const reason = "refused" in verdict ? verdict.refused : "not_here";
    exchange.refusal = reason;
    throw wrongCredential(gates, exchange, reason);
  }
  exchange.caller = verdict.caller;
  if (inUrl) throw new AppError("credential_in_url");
}

/**
 * By the limit of its address or as every wrong one. It is judged first, whatever the address did, for a right one
 * passes: what costs little to judge needs no door in front. Who presents nothing has tried nothing.
 */
function wrongCredential(
  { addressLimit }: Gates,
  { address, time }: Exchange,
  reason: RefusalReason,
): AppError {
  const waitS = reason === "missing" || address === null ? undefined : addressLimit.failed(address, time);
  if (waitS === undefined) return new AppError("invalid_token");
  const words = "Too many wrong credentials came from this address.";
  return new AppError("rate_limited", words, { retryAfterS: waitS });
}

function limitCaller({ callerLimits }: Gates, exchange: Exchange): void {
  if (exchange.caller === undefined) return;
  exchange.admission = callerLimits.begin(exchange.caller, exchange.time);
  if (exchange.admission?.refusal !== undefined) throw exchange.admission.refusal;
}
