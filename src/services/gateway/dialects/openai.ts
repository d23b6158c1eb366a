import { ANSWER_HEADERS } from "#platform/http/gateway-headers.ts";
import { limitHeaders } from "#platform/http/limit-headers.ts";
import type { AppError } from "#platform/lib/error.ts";
import type { ModelEntry } from "../catalogue.ts";
import type { Dialect, ErrorAnswer } from "./dialect.ts";
import { errorHeaders } from "./error-headers.ts";

/**
 * What an OpenAI client reads: errors in the shape of https://platform.openai.com/docs/guides/error-codes, which the
 * official SDK turns into its own classes; `data: {"error":…}` in a stream, which it raises.
 */
export const openai: Dialect = {
  usage: "openai",
  requestIdHeaders: ["x-request-id"],
  limitHeaders,
  error: errorAnswer,
  upstreamError: (_status, message) =>
    Buffer.from(errorJson({ message, type: "upstream_error", param: null, code: "upstream_failed" })),
  relayedError: (_status, body) => body,
  streamError: (error) => Buffer.from(`data: ${errorJson(shapeOf(error))}\n\n`),
  modelList: (entries) => ({ object: "list", data: entries.map(modelShape) }),
  model: modelShape,
};

interface ErrorShape {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}

function errorAnswer(error: AppError, requestId: string): ErrorAnswer {
  return {
    status: error.status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-request-id": requestId,
      ...ANSWER_HEADERS,
      ...errorHeaders(error),
    },
    body: Buffer.from(errorJson(shapeOf(error))),
  };
}

function shapeOf(error: AppError): ErrorShape {
  const param = error.code === "model_not_found" ? "model" : null;
  return { message: error.message, type: typeFor(error), param, code: error.code };
}

function errorJson(error: ErrorShape): string {
  return JSON.stringify({ error });
}

function modelShape(entry: ModelEntry): object {
  return {
    id: entry.id,
    object: "model",
    created: Math.floor(entry.createdAt / 1000),
    owned_by: entry.provider,
  };
}

function typeFor({ status, code }: AppError): string {
  if (code.startsWith("upstream_")) return "upstream_error";
  // The type OpenAI gives what only the next month ends.
  if (code === "quota_exhausted") return "insufficient_quota";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}
