import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../lib/error.ts";
import { resourceName } from "../lib/resource-name.ts";
import type { Log } from "../log/log.ts";
import type { Exchange } from "./exchange.ts";
import { limitHeaders } from "./limit-headers.ts";
import type { Admission, AuditSink } from "./ports.ts";
import { errorHeaders, toAppError, toProblem } from "./problem.ts";
import { reportRefusal } from "./refusal.ts";
import { isRelayed } from "./relay.ts";

/** Where a node proves itself to the one that asked (docs/formats/node-call.md). */
export const NODE_PROOF = "x-claviger-node";

/** Headers every answer outside the gateway bears. */
export function answerHeaders(exchange: Exchange): Record<string, string> {
  return {
    "x-request-id": exchange.requestId,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...(exchange.proof === undefined ? {} : { [NODE_PROOF]: exchange.proof }),
    ...(exchange.cookie === undefined ? {} : { "set-cookie": exchange.cookie }),
    ...(exchange.admission === undefined ? {} : limitsOf(exchange.admission)),
  };
}

function limitsOf({ left }: Admission): Record<string, string> {
  const headers: Record<string, string> = {};
  const pairs = limitHeaders(left);
  for (let at = 0; at + 1 < pairs.length; at += 2) headers[pairs[at] ?? ""] = pairs[at + 1] ?? "";
  return headers;
}

/** Answers whatever was thrown as problem+json, and tells audit and log of it. */
export function sendProblem(
  sinks: { audit: AuditSink; log: Log },
  exchange: Exchange,
  exchanged: { request: FastifyRequest; reply: FastifyReply },
  thrown: unknown,
): FastifyReply {
  const { request, reply } = exchanged;
  const error = fromFramework(thrown);
  exchange.target ??= namedTarget(request);
  reportRefusal(sinks, exchange, error);
  // What is left of a refused body must not be taken for the next request, nor be waited for.
  if (!request.raw.complete && !isRelayed(request.raw)) reply.header("connection", "close");
  return reply
    .code(error.status)
    .headers({ ...answerHeaders(exchange), ...errorHeaders(error) })
    .type("application/problem+json")
    .send(JSON.stringify(toProblem(error, exchange.requestId)));
}

/** What a failed change was about, where path or body name it: names and ids only, never a client's free text. */
function namedTarget({ params, body }: FastifyRequest): string | undefined {
  for (const source of [params, body]) {
    if (typeof source !== "object" || source === null) continue;
    const { id, name }: { id?: unknown; name?: unknown } = source;
    for (const text of [id, name]) if (resourceName.safeParse(text).success) return String(text);
  }
  return undefined;
}

function fromFramework(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown);
  const code = "code" in thrown ? thrown.code : undefined;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return new AppError("body_too_large");
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new AppError("unsupported_media_type", "Send the body as application/json.");
  if (code === "FST_ERR_VALIDATION") {
    const unknown = thrown.message.toLowerCase().includes("unrecognized key");
    return new AppError(unknown ? "unknown_field" : "bad_request", thrown.message);
  }
  if ("statusCode" in thrown && thrown.statusCode === 400) return new AppError("bad_request");
  return toAppError(thrown);
}
