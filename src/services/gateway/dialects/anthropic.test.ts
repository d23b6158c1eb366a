import { expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { anthropic } from "./anthropic.ts";

const parse = (body: Buffer): unknown => JSON.parse(body.toString());

test("[A6] an error has Anthropic's shape, the type of its status, its code in the details, and the request id thrice", () => {
  const types = [
    ["bad_request", "invalid_request_error"],
    ["unsupported_media_type", "invalid_request_error"],
    ["header_too_large", "invalid_request_error"],
    ["invalid_token", "authentication_error"],
    ["forbidden", "permission_error"],
    ["model_not_found", "not_found_error"],
    ["request_timeout", "timeout_error"],
    ["body_too_large", "request_too_large"],
    ["internal", "api_error"],
    ["upstream_failed", "api_error"],
    ["server_locked", "api_error"],
    ["upstream_timeout", "timeout_error"],
  ] as const;
  for (const [code, type] of types) {
    const error = new AppError(code, "What went wrong.", { detail: "for the log" });
    const answer = anthropic.error(error, "req_1");
    expect(answer.status).toBe(error.status);
    expect(parse(answer.body)).toEqual({
      type: "error",
      error: { type, message: "What went wrong.", details: { error_code: code } },
      request_id: "req_1",
    });
    expect(answer.headers).toMatchObject({ "request-id": "req_1", "x-request-id": "req_1" });
  }
});

test("[S4] [G3] what only an operator can repair is not retried, and a 401 names its challenge", () => {
  const headersOf = (code: "server_locked" | "upstream_credential_rejected" | "upstream_failed") =>
    anthropic.error(new AppError(code), "r").headers;
  expect(headersOf("server_locked")).toMatchObject({
    "x-should-retry": "false",
    "x-claviger-locked": "true",
    "retry-after": "5",
  });
  expect(headersOf("upstream_credential_rejected")["x-should-retry"]).toBe("false");
  expect(headersOf("upstream_failed")["x-should-retry"]).toBeUndefined();
  expect(anthropic.error(new AppError("invalid_token"), "r").headers["www-authenticate"]).toContain("Bearer");
});

test("[A6] an upstream's error has our request id in it and everything else as it was", () => {
  const theirs = {
    type: "error",
    error: { type: "rate_limit_error", message: "slow down", details: { error_code: "ramp_limit_exceeded" } },
    request_id: "theirs",
    more: 1,
  };
  const relayed = anthropic.relayedError(429, Buffer.from(JSON.stringify(theirs)), "ours");
  expect(parse(relayed)).toEqual({ ...theirs, request_id: "ours" });
  const openai = { error: { message: "no", type: null, code: "x" } };
  expect(parse(anthropic.relayedError(529, Buffer.from(JSON.stringify(openai)), "ours"))).toEqual({
    type: "error",
    error: { message: "no", type: "overloaded_error", code: "x" },
    request_id: "ours",
  });
  expect(parse(anthropic.upstreamError(402, "pay", "ours"))).toMatchObject({
    error: { type: "billing_error", message: "pay" },
    request_id: "ours",
  });
});

test("[G6] a cut stream ends with one error event", () => {
  const event = anthropic.streamError(new AppError("upstream_failed", "line one\nline two"), "r").toString();
  expect(event).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
  expect(event).not.toContain("message_stop");
});
