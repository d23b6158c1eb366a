import { AppError } from "../lib/error.ts";
import { authenticate } from "./authenticate.ts";
import type { ClientRequest } from "./client-request.ts";
import { letsNodesIn } from "./entry.ts";
import type { Exchange } from "./exchange.ts";
import { hostName, isAllowedHost } from "./host.ts";
import { checkOrigin } from "./origin.ts";
import type {
  AddressLimit,
  Authenticator,
  Authorizer,
  Caller,
  CallerLimits,
  LockGate,
  NodeGate,
  RoomGate,
  Service,
  SessionGate,
} from "./ports.ts";
import { type RequestHead, readHead } from "./request-head.ts";
import { CONTROL, OPEN, type RouteContract, SELF } from "./route.ts";

export interface Gates {
  readonly lock: LockGate;
  /** Undefined in threads that serve the gateway alone, which changes nothing. */
  readonly room?: RoomGate | undefined;
  readonly authenticator: Authenticator;
  readonly addressLimit: AddressLimit;
  readonly callerLimits: CallerLimits;
  readonly authorizer: Authorizer;
  /** Undefined in threads that serve no route of nodes. */
  readonly nodes?: NodeGate | undefined;
  /** Undefined in threads that serve the gateway alone, where no cookie counts. */
  readonly sessions?: SessionGate | undefined;
}

/** For so long after it was given a password counts as just given. */
const PASSWORD_FRESH_MS = 15 * 60_000;

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
  request: ClientRequest,
  declared: Target,
): Promise<void> | undefined {
  const asked = isHidden(gates, exchange, declared) ? NOT_SERVED.dashboard : declared;
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
  if (!control && service !== "probe" && service !== "dashboard") checkOrigin(gates.sessions, exchange, head);
  if (service === "dashboard" && "unknown" in target) throw new AppError("not_found");
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

/** Where no node comes in, its routes are among the pages that do not exist. */
function isHidden({ nodes }: Gates, { listener }: Exchange, target: Target): boolean {
  if ("unknown" in target || target.family !== "node") return false;
  return nodes === undefined || !letsNodesIn(listener);
}

function serviceOf(target: Target): Service | "probe" {
  const family = "unknown" in target ? target.unknown : target.family;
  if (family === "page") return "dashboard";
  if (family === "node") return "api";
  return "path" in target && target.path === "/sse" ? "events" : family;
}

/**
 * After validation: may this caller do what the route declares, on `name` where the action has objects? The body has
 * arrived since he was let in, so the lock and his key are looked at once more.
 */
export function authorise(gates: Gates, exchange: Exchange, action: string, name?: string): void {
  if (name !== undefined) exchange.target = name;
  checkStillIn(gates, exchange);
  if (action === OPEN) return;
  const { caller } = exchange;
  checkPassword(exchange);
  if (caller !== undefined && isAllowed(gates, caller, action, name)) return checkFreshness(exchange);
  if (caller?.kind === "node" && !caller.hasPin) throw new AppError("needs_pin");
  throw new AppError("forbidden", `This principal lacks the permission ${action}.`);
}

/** Last before the handler of a change: throws what says that there is no room for it on the disk. */
export function checkRoom({ room }: Gates, contract: RouteContract): void {
  if (!isChange(contract) || contract.servedOnLowDisk === true) return;
  const refusal = room?.refusal();
  if (refusal !== undefined) throw refusal;
}

/** Whether a route changes what this server holds, as far as its declaration tells. */
function isChange({ method, family }: RouteContract): boolean {
  return family !== "gateway" && !UNCHANGING.has(method);
}

const UNCHANGING = new Set<RouteContract["method"]>(["GET", "HEAD", "OPTIONS"]);

/** Somebody who must change his password does nothing else. */
function checkPassword({ caller, route }: Exchange): void {
  if (caller?.kind === "user" && caller.mustChangePassword && route?.beforePasswordChange !== true)
    throw new AppError("password_change_required");
}

/** What a session left open must not do to whoever comes to the screen. */
function checkFreshness({ caller, route, time }: Exchange): void {
  if (caller?.kind !== "user" || route?.asksPasswordAgain !== true) return;
  // Also where the clock was set back since.
  if (Math.abs(time - caller.passwordAtMs) > PASSWORD_FRESH_MS) throw new AppError("reauthenticate");
}

function isAllowed({ authorizer }: Gates, caller: Caller, action: string, name: string | undefined): boolean {
  if (action === SELF) return caller.kind === "user";
  if (action === CONTROL) return caller.kind === "local";
  return authorizer.allows(caller, action, name);
}

/** The lock and the caller's key once more, since time has passed: throws AppError `server_locked` or `invalid_token`. */
export function checkStillIn(gates: Gates, exchange: Exchange): void {
  if (isShut(gates, exchange)) throw new AppError("server_locked");
  if (exchange.caller === undefined || gates.authenticator.holds(exchange.caller)) return;
  exchange.refusal = reasonOfEnd(gates, exchange.caller);
  throw new AppError("invalid_token");
}

/** Why a caller who was let in may not act any more; for the log alone. */
export function reasonOfEnd({ authenticator }: Gates, caller: Caller): "expired" | "revoked" {
  return authenticator.hasExpired?.(caller) === true ? "expired" : "revoked";
}

/** Whether the server is locked, and this is nothing that works all the same. */
function isShut({ lock }: Gates, { route, listener, head }: Exchange): boolean {
  if (!lock.isLocked()) return false;
  const open = route?.openWhileLocked ?? false;
  switch (open) {
    case true:
      return false;
    case "local":
      return listener.kind !== "control";
    case "navigation":
      return head?.takesPages !== true;
    case false:
      return true;
    default:
      return open satisfies never;
  }
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

function limitCaller({ callerLimits }: Gates, exchange: Exchange): void {
  if (exchange.caller === undefined) return;
  exchange.admission = callerLimits.begin(exchange.caller, exchange.time);
  if (exchange.admission?.refusal !== undefined) throw exchange.admission.refusal;
}
