import type { AppError } from "../lib/error.ts";
import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import { type AuditSink, callerId } from "./ports.ts";

/** A model's name is the caller's to choose: not its length in our records. */
const MAX_TARGET_LENGTH = 256;
/** A longer name that nothing is known to bear may be a secret in the wrong field. */
const LONGEST_DOUBTFUL_NAME = 24;
const OWN_ID = /^(key|prov|cred|node|user|sess)_[0-9A-Za-z]{16}$/;
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
  const reads = exchange.method === "GET" || exchange.method === "HEAD";
  const changes = !reads || exchange.route?.audited !== undefined;
  const family = exchange.route?.family;
  const failedChange = changes && (family === "api" || family === "node") && exchange.caller !== undefined;
  if (!denied && !failedChange) return;
  const { caller } = exchange;
  sinks.audit.refused({
    actor: caller === undefined || caller.kind === "anonymous" ? null : callerId(caller),
    action: exchange.route?.audited ?? exchange.route?.action ?? "unknown",
    route: exchange.route?.path ?? "unknown",
    target: namedBy(exchange, error),
    outcome: denied ? "denied" : "failure",
    address: exchange.address,
    requestId: exchange.requestId,
  });
}

/** What the refused request was about, as far as it may be written down: an unknown name is a client's text. */
function namedBy({ target, route }: Exchange, error: AppError): string | undefined {
  // What is in the way of a conflict exists, and the gateway names models of the catalogue only.
  const known = error.code === "conflict" || route?.family === "gateway";
  if (target === undefined || known || OWN_ID.test(target)) return target?.slice(0, MAX_TARGET_LENGTH);
  return target.length <= LONGEST_DOUBTFUL_NAME ? target : `a name of ${target.length} characters`;
}
