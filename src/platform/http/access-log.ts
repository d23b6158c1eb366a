import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import { callerId } from "./ports.ts";

/** One line a request: route templates and our own words, never a client's text. */
export function logAccess(log: Log, exchange: Exchange, outcome: { status: number }): void {
  log.info(
    {
      request_id: exchange.requestId,
      listener: exchange.listener.name,
      address: exchange.address ?? "control",
      method: exchange.route?.method ?? "other",
      route: exchange.route?.path ?? "unknown",
      status: outcome.status,
      principal: exchange.caller && callerId(exchange.caller),
      reason: exchange.refusal,
      latency_ms: Math.round((performance.now() - exchange.startedMs) * 100) / 100,
    },
    "request",
  );
}
