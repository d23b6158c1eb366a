import { expect, test } from "vitest";
import { z } from "zod";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { CLAUDE } from "#test/upstream-anthropic.ts";
import { type Bench, chat, startBench } from "./bench.ts";

const PATH = "/v1/messages";
const bench = () => startBench({}, "anthropic");
const message = (more: object = {}) => ({
  model: `sim/${CLAUDE}`,
  max_tokens: 64,
  messages: [{ role: "user", content: "hello" }],
  ...more,
});
const post = (
  { claviger, key }: Pick<Bench, "claviger" | "key">,
  body: unknown,
  more: { path?: string; headers?: Record<string, string> } = {},
) => claviger.call({ method: "POST", path: PATH, headers: { "x-api-key": key }, body, ...more });
const shaped = z.object({
  type: z.literal("error"),
  error: z.object({
    type: z.string(),
    message: z.string().min(1),
    details: z.object({ error_code: z.string() }).optional(),
  }),
  request_id: z.string(),
});

function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  const pairs = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ""]] : [],
  );
  return Object.fromEntries(pairs);
}

test("[G4] [G1] a message reaches the upstream byte for byte but for its model, and so does its answer", async () => {
  await using it = await bench();
  const body = `{ "max_tokens":64,\t"messages":[{"role":"user","content":"\\u00e9 \u00e9"}],"model" : "sim/${CLAUDE}" , "x":1.50e0 }`;
  const answer = await post(it, body, {
    headers: { "x-api-key": it.key, "content-type": "application/json" },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers["x-claviger-target"]).toBe(`sim/${CLAUDE}`);
  const [sent] = it.upstream.requests;
  expect(sent?.body.toString()).toBe(body.replace(`"sim/${CLAUDE}"`, `"${CLAUDE}"`));
  expect(sent?.path).toBe(PATH);
  const raw = '{"type": "message","content":[],"n":1.0}';
  it.upstream.behave({ kind: "raw", headers: { "content-type": "application/json" }, chunks: [raw] });
  expect((await post(it, message())).text).toBe(raw);
});

test("[G4] [G6] a stream passes byte for byte, pings and all", async () => {
  await using it = await bench();
  const chunks = [
    'event: ping\ndata: {"type": "ping"}\n\n',
    'event: message_start\r\ndata: {"type":"message_start","message":{}}\r\n\r\n',
    'event: ping\ndata: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
  ];
  it.upstream.behave({ kind: "raw", chunks });
  const answer = await post(it, message({ stream: true }));
  expect(answer.headers["content-type"]).toContain("text/event-stream");
  expect(answer.text).toBe(chunks.join(""));
});

test("[G3] [A2] the key opens as x-api-key and as Bearer, and only our credential goes on, as x-api-key", async () => {
  await using it = await bench();
  const common = {
    cookie: "claviger_session=x",
    "user-agent": "claude-cli/2",
    "x-claude-code-session-id": "s",
  };
  const wanted = { "anthropic-version": "2026-10-21", "anthropic-beta": "one,two", "idempotency-key": "i" };
  for (const auth of [{ "x-api-key": it.key }, { authorization: `Bearer ${it.key}` }])
    expect((await post(it, message(), { headers: { ...common, ...wanted, ...auth } })).status).toBe(200);
  for (const { rawHeaders } of it.upstream.requests) {
    const { host, connection, "content-length": _length, ...rest } = headersOf(rawHeaders);
    expect(rest).toEqual({
      ...wanted,
      "x-api-key": it.credential,
      "accept-encoding": "identity",
      "content-type": "application/json",
    });
  }
  expect(it.upstream.requests).toHaveLength(2);
  await post(it, message());
  expect(headersOf(it.upstream.requests[2]?.rawHeaders ?? [])["anthropic-version"]).toBe("2023-06-01");
});

test("[G3] [G1] of the query only `beta=true` goes on", async () => {
  await using it = await bench();
  for (const path of [`${PATH}?beta=true`, `${PATH}?beta=false&x=1`, `${PATH}/count_tokens?x=1&beta=true`])
    expect((await post(it, message(), { path })).status).toBe(200);
  expect(it.upstream.requests.map(({ path }) => path)).toEqual([
    `${PATH}?beta=true`,
    PATH,
    `${PATH}/count_tokens?beta=true`,
  ]);
});

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

test("[G6] a cut stream ends with `event: error` on a line of its own and never with message_stop", async () => {
  await using it = await bench();
  it.upstream.behave({ kind: "ok" });
  const { length } = (await post(it, message({ stream: true }))).text;
  for (const afterBytes of [length - 2, length - 60, 700]) {
    it.upstream.behave({ kind: "cut", afterBytes });
    const { text, headers } = await post(it, message({ stream: true }));
    const last = text.slice(text.lastIndexOf("\n\nevent:") + 2);
    expect(last).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
    const error = shaped.parse(JSON.parse(last.slice(last.indexOf("{"))));
    expect(error.request_id).toBe(headers["request-id"]);
    expect(text).not.toContain("message_stop");
  }
});

test("[G6] a stream that ends without message_stop is a cut, whatever it quotes", async () => {
  await using it = await bench();
  const quoted = {
    type: "content_block_delta",
    delta: { type: "message_stop", text: "event: message_stop" },
  };
  const start = 'event: message_start\ndata: {"type":"message_start"}\n\n';
  const chunks = [
    start,
    `event: content_block_delta\ndata: ${JSON.stringify(quoted)}\n\n`,
    "data: [DONE]\n\n",
  ];
  it.upstream.behave({ kind: "raw", chunks });
  const { text } = await post(it, message({ stream: true }));
  expect(text).toContain("event: error\n");
});

test("[G5] [G6] an error before the first event of a message is a status, also behind pings", async () => {
  await using it = await bench();
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
  const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  for (const chunks of [
    [`event: error\ndata: ${JSON.stringify(error)}\n\n`],
    [ping, ping, `event: error\ndata: ${JSON.stringify(error)}\n\n`],
    [ping],
  ]) {
    it.upstream.behave({ kind: "raw", chunks });
    const answer = await post(it, message({ stream: true }));
    expect(answer.status).toBe(502);
    expect(shaped.parse(answer.json).error.type).toBe("api_error");
    if (chunks.length !== 1 || chunks[0] !== ping) expect(answer.text).toContain("Overloaded");
  }
});

test("[G4] a model of a provider that speaks the other dialect is a 400 that names the endpoint, both ways", async () => {
  await using it = await bench();
  await using openai = await startUpstream({ listsApart: true });
  await it.claviger.addProvider("other", openai.baseUrl);
  const wrong = await post(it, message({ model: `other/${UPSTREAM_MODEL}` }));
  expect(wrong.status).toBe(400);
  const { error } = shaped.parse(wrong.json);
  expect(error).toMatchObject({ type: "invalid_request_error", details: { error_code: "wrong_dialect" } });
  expect(error.message).toContain("/v1/chat/completions");
  const back = await post(it, chat({ model: `sim/${CLAUDE}` }), { path: "/v1/chat/completions" });
  expect(back.status).toBe(400);
  expect(back.json).toMatchObject({ error: { code: "wrong_dialect" } });
  expect(back.text).toContain("/v1/messages");
  expect([...openai.requests, ...it.upstream.requests]).toHaveLength(0);
});

test("[G5] a bare name goes to the first provider that knows it and speaks the client's dialect", async () => {
  await using openai = await startUpstream({ listsApart: true, models: ["claude-both"] });
  await using first = await startUpstream({
    listsApart: true,
    dialect: "anthropic",
    models: ["claude-both"],
  });
  await using second = await startUpstream({
    listsApart: true,
    dialect: "anthropic",
    models: ["claude-both"],
  });
  await using claviger = await startClaviger();
  await claviger.addProvider("one", openai.baseUrl);
  await claviger.addProvider("two", first.baseUrl, undefined, "anthropic-compatible");
  await claviger.addProvider("three", second.baseUrl, undefined, "anthropic-compatible");
  const { key } = await claviger.issueKey("app");
  const answer = await post({ claviger, key }, message({ model: "claude-both" }));
  expect(answer.headers["x-claviger-target"]).toBe("two/claude-both");
  const asked = await post({ claviger, key }, chat({ model: "claude-both" }), {
    path: "/v1/chat/completions",
  });
  expect(asked.headers["x-claviger-target"]).toBe("one/claude-both");
});

test("[S4] [A6] a locked server says so in Anthropic's shape and is not asked again", async () => {
  await using it = await bench();
  it.claviger.app.seal.lock();
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

test("[G6] what answers a streamed message is passed as events, or is 502 when it is none", async () => {
  await using it = await bench();
  const headers = { "content-type": "application/json" };
  const events =
    'event: message_start\ndata: {"type":"message_start"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';
  it.upstream.behave({ kind: "raw", headers, chunks: [events] });
  const passed = await post(it, message({ stream: true }));
  expect(passed.headers["content-type"]).toContain("text/event-stream");
  expect(passed.text).toBe(events);
  it.upstream.behave({ kind: "raw", headers, chunks: ['{"type":"message","content":[]}'] });
  const refused = await post(it, message({ stream: true }));
  expect(refused.status).toBe(502);
  expect(shaped.parse(refused.json).error.type).toBe("api_error");
});
