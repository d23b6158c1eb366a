import type { AppError } from "../lib/error.ts";
import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import { type AuditSink, callerId } from "./ports.ts";

/** Tells audit of a refusal or of a change that failed, and the log of a bug. */
export function reportRefusal(
  sinks: { audit: AuditSink; log: Log },
  exchange: Exchange,
  error: AppError,
): void {
  if (error.code === "internal")
    sinks.log.error({ request_id: exchange.requestId, detail: error.detail }, "internal error");
  const denied = error.status === 401 || error.status === 403 || error.status === 421;
  const failedChange = exchange.method !== "GET" && exchange.route?.family === "api";
  if (!denied && !failedChange) return;
  sinks.audit.refused({
    actor: exchange.caller ? callerId(exchange.caller) : "unknown",
    action: exchange.route?.action ?? "unknown",
    route: exchange.route?.path ?? "unknown",
    outcome: denied ? "denied" : "failure",
    address: exchange.address,
    requestId: exchange.requestId,
    error,
  });
}
