import type { ErrorCode } from "../lib/error.ts";
import type { ClientRequest } from "./client-request.ts";
import type { Admission, Caller, ListenerPolicy, RefusalReason } from "./ports.ts";
import type { RequestHead } from "./request-head.ts";
import type { RouteContract } from "./route.ts";

/** One request on its way through the pipeline. */
export interface Exchange {
  readonly requestId: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** Monotonic milliseconds, for latencies. */
  readonly startedMs: number;
  readonly listener: ListenerPolicy;
  /** The socket's peer; null on the control socket. */
  readonly address: string | null;
  readonly method: string;
  route: RouteContract | undefined;
  head: RequestHead | undefined;
  caller: Caller | undefined;
  /** What proves to the node that asked who answers it; undefined for any other caller. */
  proof: string | undefined;
  /** The `Set-Cookie` that prolongs the caller's session; undefined where it need not be. */
  cookie: string | undefined;
  /** How a limited caller was let in or refused; undefined for one without limits. */
  admission: Admission | undefined;
  /** The name of what the caller wants to use or change, once it is known. */
  target: string | undefined;
  /** Why the credential was refused; the access log's alone. */
  refusal: RefusalReason | undefined;
  /** The code of the error that was answered. */
  errorCode: ErrorCode | undefined;
}

/** Who asks for a change, and from where: what the audit record of the change needs. */
export interface ChangeAuthor {
  readonly principal: Caller;
  readonly address: string | null;
  readonly requestId: string;
}

/** The author of the change an exchange makes; only an authenticated exchange reaches a handler that asks. */
export function authorOf(exchange: Exchange): ChangeAuthor {
  if (exchange.caller === undefined) throw new Error("a change without a caller");
  return { principal: exchange.caller, address: exchange.address, requestId: exchange.requestId };
}

/** Begins an exchange: the request id comes from the client only when it is well formed. */
export function beginExchange(
  request: ClientRequest,
  listener: ListenerPolicy,
  facts: { requestId: string; address: string | null; now: number; monotonicMs: number },
): Exchange {
  return {
    requestId: facts.requestId,
    time: facts.now,
    startedMs: facts.monotonicMs,
    listener,
    address: facts.address,
    method: request.method ?? "",
    route: undefined,
    head: undefined,
    caller: undefined,
    proof: undefined,
    cookie: undefined,
    admission: undefined,
    target: undefined,
    refusal: undefined,
    errorCode: undefined,
  };
}
