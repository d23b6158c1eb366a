import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { CLAUDE } from "#test/upstream-anthropic.ts";
import { bench, message, PATH, post, shaped } from "./anthropic-bench.ts";
import { chat } from "./bench.ts";

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
