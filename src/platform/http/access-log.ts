import { ERRORS } from "../lib/error.ts";
import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import type { BrokenRequest } from "./listener.ts";
import { callerId, type ListenerPolicy } from "./ports.ts";

/** One line a request: route templates and our own words, never a client's text. */
export function logAccess(log: Log, exchange: Exchange, outcome: { status: number }): void {
  log.access({
    requestId: exchange.requestId,
    listener: exchange.listener.name,
    address: exchange.address ?? exchange.listener.kind,
    method: exchange.route?.method ?? "other",
    route: exchange.route?.path ?? "unknown",
    status: outcome.status,
    principal: exchange.caller && callerId(exchange.caller),
    reason: exchange.refusal,
    code: exchange.errorCode,
    latencyMs: performance.now() - exchange.startedMs,
  });
}

/** The same line for what the parser refused. */
export function logBroken(log: Log, listener: ListenerPolicy, broken: BrokenRequest): void {
  log.access({
    requestId: broken.requestId,
    listener: listener.name,
    address: broken.address ?? listener.kind,
    method: "other",
    route: "unknown",
    status: ERRORS[broken.code].status,
    principal: undefined,
    reason: undefined,
    code: broken.code,
    latencyMs: undefined,
  });
}
