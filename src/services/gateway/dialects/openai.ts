import type { AppError, ErrorCode } from "#platform/lib/error.ts";
import { ANSWER_HEADERS } from "../headers.ts";

/** An error as an OpenAI client reads it. */
export interface OpenAiError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** How long a client should leave a locked server alone, in seconds. */
const LOCKED_RETRY_AFTER_S = 5;

/**
 * The error in the shape of https://platform.openai.com/docs/guides/error-codes, which the official SDK turns into
 * its own error classes. `x-should-retry: false` keeps that SDK from repeating what only an operator can repair.
 */
export function openaiError(error: AppError, requestId: string): OpenAiError {
  return {
    status: error.status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-request-id": requestId,
      ...ANSWER_HEADERS,
      ...headersFor(error.code),
    },
    body: Buffer.from(errorJson(error)),
  };
}

/**
 * The last event of a stream that was cut: the SDK raises it. It never follows `[DONE]`; the caller makes sure that
 * it begins on a line of its own (the relay sends complete events only).
 */
export function openaiStreamError(error: AppError): Buffer {
  return Buffer.from(`data: ${errorJson(error)}\n\n`);
}

function errorJson(error: AppError): string {
  const param = error.code === "model_not_found" ? "model" : null;
  return JSON.stringify({
    error: { message: error.message, type: typeFor(error.status), param, code: error.code },
  });
}

function typeFor(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

function headersFor(code: ErrorCode): Record<string, string> {
  switch (code) {
    case "invalid_token":
      return { "www-authenticate": 'Bearer realm="claviger", error="invalid_token"' };
    case "server_locked":
      return {
        "x-should-retry": "false",
        "x-claviger-locked": "true",
        "retry-after": String(LOCKED_RETRY_AFTER_S),
      };
    case "upstream_credential_rejected":
      return { "x-should-retry": "false" };
    default:
      return {};
  }
}
