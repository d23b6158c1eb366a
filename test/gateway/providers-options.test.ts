import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startConnectProxy } from "#test/connect-proxy.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";
import { startBench } from "./bench.ts";

const PATH = "/api/v1/providers";
const BASE_URL = "http://127.0.0.1:9/v1";

const create = (claviger: TestClaviger, body: object) =>
  claviger.control({
    method: "POST",
    path: PATH,
    body: { kind: "openai-compatible", credentials: [], ...body },
  });
const patch = (claviger: TestClaviger, options: object) =>
  claviger.control({ method: "PATCH", path: `${PATH}/sim`, body: { options } });
const embed = (claviger: TestClaviger, key: string) =>
  claviger.call({
    method: "POST",
    path: "/v1/embeddings",
    headers: { authorization: `Bearer ${key}` },
    body: { model: "sim/sim-1", input: "x" },
  });
const headersOf = (upstream: Upstream, at = -1): Record<string, string[]> => {
  const { rawHeaders } = upstream.requests.at(at) ?? { rawHeaders: [] };
  const found: Record<string, string[]> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    found[name] = [...(found[name] ?? []), rawHeaders[index + 1] ?? ""];
  }
  return found;
};

test("[H2] [G12] options are shown as they are kept; a change leaves what it does not name, and null removes", async () => {
  await using claviger = await startClaviger();
  const options = {
    ca_file: "/etc/own-ca.pem",
    connect_timeout_ms: 1000,
    headers_timeout_ms: 2000,
    body_idle_timeout_ms: 3000,
    extra_headers: { "X-Team": "blue", "openai-organization": "org-1" },
    proxy: "http://127.0.0.1:3128",
    credential_header: { name: "X-Token", prefix: "Token " },
    methods: ["GET", "POST"],
    path_prefixes: ["/v2", "/files/"],
  };
  const shown = {
    ...options,
    extra_headers: { "x-team": "blue", "openai-organization": "org-1" },
    credential_header: { name: "x-token", prefix: "Token " },
  };
  const made = await create(claviger, {
    name: "sim",
    kind: "http",
    base_url: "http://127.0.0.1:9/api",
    options,
  });
  expect(made).toMatchObject({ status: 201, json: { base_url: "http://127.0.0.1:9/api" } });
  const read = async () => (await claviger.control({ path: `${PATH}/sim` })).json;
  expect(await read()).toEqual(made.json);
  expect(made.json).toHaveProperty("options", shown);
  const { ca_file: _removed, extra_headers: _replaced, ...kept } = shown;
  const changed = await patch(claviger, {
    ca_file: null,
    extra_headers: { "x-other": "1" },
    methods: ["HEAD"],
  });
  const after = { ...kept, extra_headers: { "x-other": "1" }, methods: ["HEAD"] };
  expect(changed.json).toHaveProperty("options", after);
  expect((await claviger.control({ path: PATH })).json).toMatchObject({ data: [{ options: after }] });
  const names = Object.keys(after);
  expect((await patch(claviger, Object.fromEntries(names.map((name) => [name, null])))).json).toHaveProperty(
    "options",
    {},
  );
});

test("[G12] an option that says what it may not is refused, on creation and on change, and changes nothing", async () => {
  await using claviger = await startClaviger();
  await create(claviger, { name: "sim", base_url: BASE_URL, options: { headers_timeout_ms: 7 } });
  const headers = [
    "Host",
    "Content-Length",
    "content-type",
    "Transfer-Encoding",
    "connection",
    "Proxy-Authorization",
    "authorization",
    "X-Api-Key",
    "cookie",
    "accept-encoding",
    "expect",
    "two words",
    "",
  ].map((name) => ({ extra_headers: { [name]: "x" } }));
  const wrong = [
    ...headers,
    { extra_headers: { "x-a": "one\r\nhost: two" } },
    { extra_headers: { "x-a": "one\ntwo" } },
    { extra_headers: { "x-a": "ä" } },
    { extra_headers: { "x-a": " x" } },
    { extra_headers: { "x-a": "1", "X-A": "2" } },
    { extra_headers: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`x-${at}`, ""])) },
    { ca_file: "relative.pem" },
    { ca_file: "" },
    { connect_timeout_ms: 0 },
    { connect_timeout_ms: 1.5 },
    { connect_timeout_ms: 120_001 },
    { headers_timeout_ms: "5" },
    { body_idle_timeout_ms: -1 },
    { proxy: "https://127.0.0.1:3128" },
    { proxy: "http://user:secret@127.0.0.1:3128" },
    { proxy: "http://@127.0.0.1:3128" },
    { proxy: "http://127.0.0.1:3128/path" },
    { proxy: "http://127.0.0.1:3128?x" },
    { proxy: "127.0.0.1:3128" },
    // Only for kind http.
    { credential_header: { name: "x-token" } },
    { methods: ["GET"] },
    { path_prefixes: ["/"] },
    { unheard_of: 1 },
  ];
  for (const options of wrong) {
    const what = JSON.stringify(options);
    expect((await create(claviger, { name: "new", base_url: BASE_URL, options })).status, what).toBe(400);
    expect((await patch(claviger, options)).status, what).toBe(400);
  }
  const http = [
    { credential_header: { name: "host" } },
    { credential_header: { name: "x-token", prefix: "a\r\nb" } },
    { credential_header: { name: "x-token" }, extra_headers: { "x-token": "x" } },
    { methods: [] },
    { methods: ["TRACE"] },
    { methods: ["CONNECT"] },
    { path_prefixes: [] },
    ...["v2", "/a/../b", "/./a", "/a//b", "/a?b", "/a#b", "/%2e%2e/a", "/a%2Fb", "/a\\b", "/a b"].map(
      (prefix) => ({
        path_prefixes: [prefix],
      }),
    ),
  ];
  for (const options of http) {
    const answer = await create(claviger, { name: "new", kind: "http", base_url: BASE_URL, options });
    expect(answer.status, JSON.stringify(options)).toBe(400);
  }
  expect((await claviger.control({ path: PATH })).json).toMatchObject({
    data: [{ name: "sim", options: { headers_timeout_ms: 7 } }],
  });
});

test("[G12] extra headers reach the upstream in place of the client's, beside our credential, in calls and model lists", async () => {
  await using bench = await startBench();
  const { claviger, upstream, key, credential } = bench;
  const listing = upstream.nextListing();
  await patch(claviger, { extra_headers: { "openai-beta": "ours", "x-team": "blue" } });
  await listing;
  const answer = await claviger.call({
    method: "POST",
    path: "/v1/embeddings",
    headers: { authorization: `Bearer ${key}`, "openai-beta": "theirs", "x-team": "red" },
    body: { model: "sim/sim-1", input: "x" },
  });
  expect(answer.status).toBe(200);
  expect(headersOf(upstream)).toMatchObject({
    "openai-beta": ["ours"],
    "x-team": ["blue"],
    authorization: [`Bearer ${credential}`],
    "accept-encoding": ["identity"],
  });
  await using plain = await startUpstream();
  await create(claviger, {
    name: "listed",
    base_url: plain.baseUrl,
    options: { extra_headers: { "x-team": "green" } },
  });
  await claviger.control({ method: "POST", path: `${PATH}/listed/test` });
  expect(headersOf(plain)).toMatchObject({ "x-team": ["green"] });
});

test("[G12] a provider's own timeouts end its calls, for the head and within the body", async () => {
  await using bench = await startBench();
  const { claviger, upstream, key } = bench;
  const never = Promise.withResolvers<void>();
  upstream.behave({ kind: "stall", after: "request", until: never.promise });
  const timeout = { status: 504, json: { error: { code: "upstream_timeout" } } };
  await patch(claviger, { headers_timeout_ms: 40 });
  expect(await embed(claviger, key)).toMatchObject(timeout);
  await patch(claviger, { headers_timeout_ms: null, body_idle_timeout_ms: 40 });
  upstream.behave({ kind: "stall", after: 5, until: never.promise });
  expect(await embed(claviger, key)).toMatchObject(timeout);
  never.resolve();
});

test("[G12] a proxy is used when the provider says so, for calls, lists and tests, and not before", async () => {
  await using bench = await startBench();
  await using proxy = await startConnectProxy();
  const { claviger, upstream, key, credential } = bench;
  expect((await embed(claviger, key)).status).toBe(200);
  expect(proxy.heads).toHaveLength(0);
  const credentials = [{ type: "api_key", value: credential }];
  const change = { options: { proxy: proxy.url }, credentials };
  const listing = upstream.nextListing();
  expect((await claviger.control({ method: "PATCH", path: `${PATH}/sim`, body: change })).status).toBe(200);
  await listing;
  expect((await embed(claviger, key)).status).toBe(200);
  expect((await claviger.control({ method: "POST", path: `${PATH}/sim/test` })).json).toMatchObject({
    ok: true,
  });
  const authority = new URL(upstream.baseUrl).host;
  expect(proxy.heads.length).toBeGreaterThan(0);
  for (const head of proxy.heads) {
    expect(head).toBe(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  }
  await proxy[Symbol.asyncDispose]();
  expect(await embed(claviger, key)).toMatchObject({ status: 502 });
});

test("[G12] a ca_file that is missing, no certificate, or no file at all fails the call, and is told to nobody", async () => {
  await using claviger = await startClaviger();
  await using upstream = await startUpstream();
  const { key } = await claviger.issueKey("app");
  const https = upstream.baseUrl.replace("http:", "https:");
  await create(claviger, { name: "sim", base_url: https });
  const pipe = join(claviger.dataDir, "pipe");
  execFileSync("mkfifo", [pipe]);
  const given = join(claviger.dataDir, "text.pem");
  writeFileSync(given, "no certificate");
  for (const ca_file of [join(claviger.dataDir, "none.pem"), given, claviger.dataDir, pipe, "/dev/zero"]) {
    expect((await patch(claviger, { ca_file })).status).toBe(200);
    const answer = await embed(claviger, key);
    const message = expect.stringContaining("ca_file cannot be read");
    expect(answer, ca_file).toMatchObject({ status: 502, json: { error: { message } } });
    expect(answer.text).not.toContain(ca_file);
  }
});

test("[H2] the test of a plain HTTP provider asks its base URL, with its own headers; a refused credential is told", async () => {
  const heard: { method: string | undefined; url: string | undefined; token: unknown }[] = [];
  let status = 404;
  const server = createServer(({ method, url, headers }, response) => {
    heard.push({ method, url, token: headers["x-token"] });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await using claviger = await startClaviger();
  const value = "api-credential-0000";
  const made = await create(claviger, {
    name: "web",
    kind: "http",
    base_url: `http://127.0.0.1:${port}/api/`,
    options: { credential_header: { name: "x-token", prefix: "T " } },
    credentials: [{ type: "api_key", value }],
  });
  expect(made.json).toMatchObject({ base_url: `http://127.0.0.1:${port}/api` });
  const run = async () => (await claviger.control({ method: "POST", path: `${PATH}/web/test` })).json;
  expect(await run()).toMatchObject({ ok: true });
  const asked = heard.filter(({ method }) => method === "HEAD");
  expect(asked).toEqual([{ method: "HEAD", url: "/api", token: `T ${value}` }]);
  status = 401;
  expect(await run()).toEqual({ ok: false, error: expect.stringContaining("refused the credential") });
  await new Promise((resolve) => server.close(resolve));
});
