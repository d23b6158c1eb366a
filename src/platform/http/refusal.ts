import type { AppError } from "../lib/error.ts";
import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import { type AuditSink, callerId } from "./ports.ts";

/** A model's name is the caller's to choose: not its length in our records. */
const MAX_TARGET_LENGTH = 256;
const DENIED: ReadonlySet<number> = new Set([401, 403, 421, 429]);

/** Tells audit of a refusal or of a change that failed, and the log of a bug. */
export function reportRefusal(
  sinks: { audit: AuditSink; log: Log },
  exchange: Exchange,
  error: AppError,
): void {
  if (error.code === "internal")
    sinks.log.error({ request_id: exchange.requestId, detail: error.detail }, "internal error");
  exchange.errorCode = error.code;
  const denied = DENIED.has(error.status);
  const changes = exchange.method !== "GET" && exchange.method !== "HEAD";
  const failedChange = changes && exchange.route?.family === "api" && exchange.caller !== undefined;
  if (!denied && !failedChange) return;
  const { caller } = exchange;
  sinks.audit.refused({
    actor: caller === undefined || caller.kind === "anonymous" ? null : callerId(caller),
    action: exchange.route?.action ?? "unknown",
    route: exchange.route?.path ?? "unknown",
    target: exchange.target?.slice(0, MAX_TARGET_LENGTH),
    outcome: denied ? "denied" : "failure",
    address: exchange.address,
    requestId: exchange.requestId,
  });
}
