import { expect, test } from "vitest";
import { bench, message, PATH, post, shaped } from "./anthropic-bench.ts";

test("[A6] [A3] every refusal has Anthropic's shape, its type, and the request id of its header", async () => {
  await using it = await bench();
  const { key: reader } = await it.claviger.issueKey("reader", ["viewer"]);
  const cases = [
    [post(it, "{"), 400, "invalid_request_error", "bad_request"],
    [post({ ...it, key: "sk-claviger-no" }, message()), 401, "authentication_error", "invalid_token"],
    [post({ ...it, key: reader }, message()), 403, "permission_error", "forbidden"],
    [post(it, message({ model: "nowhere" })), 404, "not_found_error", "model_not_found"],
    [post(it, message(), { path: `${PATH}/batches` }), 404, "not_found_error", "not_found"],
    [
      post(it, "x".repeat(40), { headers: { "x-api-key": it.key, "content-length": "40000000" } }),
      413,
      "request_too_large",
      "body_too_large",
    ],
    [
      post(it, "x", { headers: { "x-api-key": it.key, "content-type": "text/plain" } }),
      415,
      "invalid_request_error",
      "unsupported_media_type",
    ],
  ] as const;
  for (const [call, status, type, code] of cases) {
    const answer = await call;
    expect(answer.status).toBe(status);
    const { error, request_id } = shaped.parse(answer.json);
    expect(error).toMatchObject({ type, details: { error_code: code } });
    expect(answer.headers["request-id"]).toBe(request_id);
    expect(answer.headers["x-request-id"]).toBe(request_id);
  }
  expect(it.upstream.requests).toHaveLength(0);
});

test("[A6] [G1] an unknown path is refused in the dialect that `anthropic-version` tells", async () => {
  await using it = await bench();
  const get = (path: string, headers: Record<string, string>) =>
    it.claviger.call({ path, headers: { "x-api-key": it.key, ...headers } });
  const anthropic = { "anthropic-version": "2023-06-01" };
  expect((await get("/v1/files", anthropic)).json).toMatchObject({
    type: "error",
    error: { type: "not_found_error" },
  });
  expect((await get("/v1/files", {})).json).toMatchObject({
    error: { code: "not_found", type: "not_found_error" },
  });
  expect((await get(PATH, {})).json).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  const stranger = await it.claviger.call({
    path: "/v1/models",
    headers: { ...anthropic, "x-api-key": "no" },
  });
  expect(stranger.status).toBe(401);
  expect(shaped.parse(stranger.json).error.type).toBe("authentication_error");
});

test("[A6] [G3] an upstream's own error keeps its type and words, and bears our request id", async () => {
  await using it = await bench();
  it.upstream.behave({
    kind: "error",
    status: 529,
    headers: { "anthropic-ratelimit-requests-remaining": "0", "retry-after": "3" },
  });
  const overloaded = await post(it, message());
  expect(overloaded.status).toBe(529);
  const { error, request_id } = shaped.parse(overloaded.json);
  expect(error).toEqual({ type: "overloaded_error", message: "the simulated upstream fails" });
  expect(overloaded.headers).toMatchObject({
    "request-id": request_id,
    "anthropic-ratelimit-requests-remaining": "0",
    "retry-after": "3",
  });
  expect(overloaded.text + JSON.stringify(overloaded.headers)).not.toContain("req_of_the_upstream");
  for (const [chunk, told] of [
    ["<html>", "status 502"],
    ['{"detail":"out of memory"}', "out of memory"],
    ['{"error":{"code":7}}', ""],
    ['{"error":["odd"]}', "status 502"],
  ] as const) {
    it.upstream.behave({
      kind: "raw",
      status: 502,
      headers: { "content-type": "text/html" },
      chunks: [chunk],
    });
    const answer = await post(it, message());
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({ type: "error", error: { type: "api_error" } });
    expect(answer.json).toMatchObject({ request_id: answer.headers["request-id"] });
    expect(answer.text).toContain(told);
  }
});

test("[G3] an upstream that refuses our credential and repeats it is 502, not retried, and tells nothing", async () => {
  await using it = await bench();
  it.upstream.behave({ kind: "echo-credential" });
  const answer = await post(it, message());
  expect(answer.status).toBe(502);
  expect(answer.headers["x-should-retry"]).toBe("false");
  expect(shaped.parse(answer.json).error.details?.error_code).toBe("upstream_credential_rejected");
  it.upstream.behave({
    kind: "raw",
    status: 400,
    headers: { "x-echo": it.credential },
    chunks: [JSON.stringify({ error: { message: `key ${it.credential}` } })],
  });
  const echoed = await post(it, message());
  expect(echoed.headers["x-echo"]).toBe("[redacted]");
  expect(answer.text + echoed.text + it.claviger.logged()).not.toContain(it.credential.slice(4));
});

test("[S4] [A6] a locked server says so in Anthropic's shape and is not asked again", async () => {
  await using it = await bench();
  void it.claviger.app.seal.close();
  for (const path of [PATH, `${PATH}/count_tokens`, `${PATH}/unknown`]) {
    const answer = await post(it, message(), { path });
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({ "x-claviger-locked": "true", "x-should-retry": "false" });
    expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
    const { error, request_id } = shaped.parse(answer.json);
    expect(error.details?.error_code).toBe("server_locked");
    expect(answer.headers["request-id"]).toBe(request_id);
  }
  expect(it.upstream.requests).toHaveLength(0);
});
