import { expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { openai } from "./openai.ts";

test("[G1] an error has OpenAI's shape and type", () => {
  const types = [
    ["bad_request", "invalid_request_error"],
    ["body_too_large", "invalid_request_error"],
    ["invalid_token", "authentication_error"],
    ["forbidden", "permission_error"],
    ["not_found", "not_found_error"],
    ["server_locked", "server_error"],
    ["upstream_timeout", "upstream_error"],
  ] as const;
  for (const [code, type] of types) {
    const answer = openai.error(new AppError(code, "What went wrong.", { detail: "for the log" }), "req_1");
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: { message: "What went wrong.", type, param: null, code },
    });
    expect(answer.headers["x-request-id"]).toBe("req_1");
    expect(answer.headers["content-type"]).toContain("application/json");
  }
  const missing = openai.error(new AppError("model_not_found"), "r");
  expect(missing.status).toBe(404);
  expect(JSON.parse(missing.body.toString())).toMatchObject({
    error: { param: "model", type: "not_found_error" },
  });
});

test("[S4] a locked server says so and is not retried by the SDK", () => {
  const { status, headers } = openai.error(new AppError("server_locked"), "r");
  expect(status).toBe(503);
  expect(headers).toMatchObject({
    "x-claviger-locked": "true",
    "x-should-retry": "false",
    "retry-after": "5",
  });
});

test("[G3] a refusal of our credential is 502 and not retried; other errors leave retrying to the SDK", () => {
  const rejected = openai.error(new AppError("upstream_credential_rejected"), "r");
  expect(rejected.status).toBe(502);
  expect(rejected.headers["x-should-retry"]).toBe("false");
  expect(openai.error(new AppError("upstream_failed"), "r").headers["x-should-retry"]).toBeUndefined();
});

test("[A3] a 401 names its challenge", () => {
  expect(openai.error(new AppError("invalid_token"), "r").headers["www-authenticate"]).toBe(
    'Bearer realm="claviger", error="invalid_token"',
  );
});

test("[G6] a cut stream ends with one error event", () => {
  const event = openai.streamError(new AppError("upstream_failed", "line one\nline two"), "r").toString();
  expect(event).toMatch(/^data: \{"error":\{.*\}\}\n\n$/);
  expect(event).not.toContain("[DONE]");
});
