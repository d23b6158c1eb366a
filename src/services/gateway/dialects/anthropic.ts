import { ANSWER_HEADERS } from "#platform/http/gateway-headers.ts";
import type { AmountLeft, LimitsLeft } from "#platform/http/ports.ts";
import { toTimestamp } from "#platform/lib/clock.ts";
import type { AppError } from "#platform/lib/error.ts";
import type { ModelEntry } from "../catalogue.ts";
import { isObject, memberOf } from "../json-member.ts";
import { modelPage } from "./anthropic-page.ts";
import type { Dialect, ErrorAnswer } from "./dialect.ts";
import { errorHeaders } from "./error-headers.ts";

/**
 * What an Anthropic client reads: errors in the shape of https://docs.anthropic.com/en/api/errors, which the official
 * SDK turns into its own classes; `event: error` in a stream, which it raises. The code of an error stands where that
 * SDK looks for it, in `error.details.error_code`.
 */
export const anthropic: Dialect = {
  usage: "anthropic",
  requestIdHeaders: ["request-id", "x-request-id"],
  limitHeaders,
  error: errorAnswer,
  upstreamError: (status, message, requestId) =>
    errorBody({ status, message, code: "upstream_failed" }, requestId),
  relayedError,
  streamError: (error, requestId) => Buffer.from(`event: error\ndata: ${errorBody(error, requestId)}\n\n`),
  modelList: (entries, query) => modelPage(entries.map(modelShape), query),
  model: modelShape,
};

/** The reset is a time: https://docs.anthropic.com/en/api/rate-limits#response-headers. */
function limitHeaders({ requests, tokens }: LimitsLeft, nowMs: number): string[] {
  return [...headersOf("requests", requests, nowMs), ...headersOf("tokens", tokens, nowMs)];
}

function headersOf(what: "requests" | "tokens", left: AmountLeft | undefined, nowMs: number): string[] {
  if (left === undefined) return [];
  return [
    `anthropic-ratelimit-${what}-limit`,
    String(left.limit),
    `anthropic-ratelimit-${what}-remaining`,
    String(left.remaining),
    `anthropic-ratelimit-${what}-reset`,
    toTimestamp(nowMs + left.fullInMs),
  ];
}

type ErrorFacts = Pick<AppError, "status" | "message" | "code">;

function errorAnswer(error: AppError, requestId: string): ErrorAnswer {
  return {
    status: error.status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "request-id": requestId,
      "x-request-id": requestId,
      ...ANSWER_HEADERS,
      ...errorHeaders(error),
    },
    body: errorBody(error, requestId),
  };
}

function errorBody({ status, message, code }: ErrorFacts, requestId: string): Buffer {
  const error = { type: typeOf(status), message, details: { error_code: code } };
  return Buffer.from(JSON.stringify({ type: "error", error, request_id: requestId }));
}

/** The upstream's own request id would send a user who reports it to the wrong log. */
function relayedError(status: number, body: Buffer, requestId: string): Buffer {
  const whole: unknown = JSON.parse(body.toString());
  const error = memberOf(whole, "error");
  if (!isObject(whole) || !isObject(error))
    return anthropic.upstreamError(status, `The upstream answered with status ${status}.`, requestId);
  const { type, message } = error;
  const own = {
    ...error,
    type: typeof type === "string" ? type : typeOf(status),
    message: typeof message === "string" ? message : "",
  };
  return Buffer.from(JSON.stringify({ ...whole, type: "error", error: own, request_id: requestId }));
}

function modelShape(entry: ModelEntry) {
  const isBare = entry.id === entry.model;
  return {
    type: "model",
    id: entry.id,
    display_name: isBare ? `${entry.model} (${entry.provider})` : entry.id,
    created_at: toTimestamp(entry.createdAt),
  };
}

const TYPES = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [408, "timeout_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

function typeOf(status: number): string {
  return TYPES.get(status) ?? (status >= 500 ? "api_error" : "invalid_request_error");
}
