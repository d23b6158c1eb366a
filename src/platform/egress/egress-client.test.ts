import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test, vi } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { startUpstream } from "#test/upstream.ts";
import { createEgressClient, type EgressClient, type EgressRequest } from "./egress-client.ts";

const NEVER = new Promise<void>(() => {});
const LIMIT = 1024 * 1024;
const STREAM = Buffer.from('{"model":"sim-1","stream":true}');

const get = (url: string): EgressRequest => ({ url: new URL(url), method: "GET", headers: [] });
const chat = (baseUrl: string, signal?: AbortSignal): EgressRequest => ({
  url: new URL(`${baseUrl}/chat/completions`),
  method: "POST",
  headers: ["content-type", "application/json"],
  body: STREAM,
  ...(signal === undefined ? {} : { signal }),
});

async function failure(client: EgressClient, request: EgressRequest): Promise<AppError> {
  const error: unknown = await client.collect(request, LIMIT).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error("no AppError came");
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("bytes and headers go out and come back as they are, over kept connections", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const answer = await client.collect({ ...chat(upstream.baseUrl), headers: ["x-one", "1"] }, LIMIT);
  expect(answer.status).toBe(200);
  expect(answer.headers).toContain("text/event-stream");
  expect(answer.body.toString()).toMatch(/^data: \{.*data: \[DONE\]\n\n$/s);
  expect(upstream.requests[0]?.body).toEqual(STREAM);
  expect(upstream.requests[0]?.rawHeaders).toEqual(expect.arrayContaining(["x-one", "1"]));
  expect(upstream.requests[0]?.rawHeaders).not.toContain("user-agent");
  const models = await client.collect(get(`${upstream.baseUrl}/models?a=b`), LIMIT);
  expect(models.status).toBe(404);
  expect(upstream.requests[1]?.path).toBe("/v1/models?a=b");
  // The client looks at an idle connection before it uses it again, so that an immediate next one may open another.
  for (let count = 0; count < 18; count += 1) await client.collect(get(`${upstream.baseUrl}/models`), LIMIT);
  expect(upstream.requests).toHaveLength(20);
  expect(upstream.connections).toBeLessThan(10);
});

test("[E2] other schemes and user-info are refused before anything is dialled", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const withUser = upstream.baseUrl.replace("//", "//user:pass@");
  for (const url of ["file:///etc/passwd", "ftp://127.0.0.1/", withUser]) {
    const error = await failure(client, get(url));
    expect(error.code).toBe("egress_denied");
    expect(error.message).not.toContain("pass@");
  }
  expect(upstream.connections).toBe(0);
});

test("[E2] a redirect is not followed and its target is not told", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  upstream.behave({ kind: "redirect", location: `${upstream.baseUrl}/elsewhere` });
  const error = await failure(client, get(`${upstream.baseUrl}/models`));
  expect(error.code).toBe("upstream_failed");
  expect(`${error.message} ${error.detail}`).not.toContain("elsewhere");
  expect(upstream.requests).toHaveLength(1);
});

test("[G12] a proxy of the environment is ignored", async () => {
  await using upstream = await startUpstream();
  const proxy = `http://127.0.0.1:${await unusedPort()}`;
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"]) {
    vi.stubEnv(name, proxy);
  }
  vi.stubEnv("NODE_USE_ENV_PROXY", "1");
  await using client = createEgressClient();
  expect((await client.collect(get(`${upstream.baseUrl}/models`), LIMIT)).status).toBe(200);
  vi.unstubAllEnvs();
});

test("[G3] a refused connection is upstream_unreachable and names neither address nor credential", async () => {
  await using client = createEgressClient();
  const port = await unusedPort();
  const secret = `sk-${seededRandom(9).bytes(12).toString("hex")}`;
  const request = { ...get(`http://127.0.0.1:${port}/`), headers: ["authorization", `Bearer ${secret}`] };
  const error = await failure(client, request);
  expect(error).toMatchObject({
    code: "upstream_unreachable",
    message: "The upstream refused the connection.",
  });
  expect(`${error.message} ${error.detail} ${error.stack}`).not.toMatch(
    new RegExp(`127\\.0|${port}|${secret}`),
  );
});

test("a silent upstream is upstream_timeout, before the headers and within the body", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient({ timeouts: { headersTimeoutMs: 40, bodyIdleTimeoutMs: 40 } });
  upstream.behave({ kind: "stall", after: "request", until: NEVER });
  expect((await failure(client, chat(upstream.baseUrl))).code).toBe("upstream_timeout");
  upstream.behave({ kind: "stall", after: 5, until: NEVER });
  expect((await failure(client, chat(upstream.baseUrl))).code).toBe("upstream_timeout");
  expect(upstream.requests).toHaveLength(2);
});

test("[G6] a cut answer is upstream_failed after its bytes, and nothing is sent twice", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  upstream.behave({ kind: "cut", afterBytes: 30 });
  const heard: string[] = [];
  const { promise, resolve } = Promise.withResolvers<AppError>();
  client.request(chat(upstream.baseUrl), {
    onHeaders: (status) => heard.push(String(status)),
    onData: (chunk) => heard.push(String(chunk.length)),
    onEnd: () => heard.push("end"),
    onError: resolve,
  });
  expect((await promise).code).toBe("upstream_failed");
  expect(heard).toEqual(["200", "30"]);
  expect((await failure(client, get(`${upstream.baseUrl}/models`))).code).toBe("upstream_failed");
  expect(upstream.requests).toHaveLength(2);
});

test("[G6] an abort closes the upstream's connection and the handler hears nothing more", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  upstream.behave({ kind: "stall", after: 5, until: NEVER });
  const { promise: firstData, resolve } = Promise.withResolvers<void>();
  const heard: string[] = [];
  const under = client.request(chat(upstream.baseUrl), {
    onHeaders: () => heard.push("headers"),
    onData: () => resolve(),
    onEnd: () => heard.push("end"),
    onError: () => heard.push("error"),
  });
  await firstData;
  under.abort();
  await (await upstream.arrived(0)).closed;
  expect(heard).toEqual(["headers"]);

  upstream.behave({ kind: "stall", after: "request", until: NEVER });
  const leaving = new AbortController();
  const collected = client.collect(chat(upstream.baseUrl, leaving.signal), LIMIT);
  const second = await upstream.arrived(1);
  leaving.abort();
  await expect(collected).rejects.toThrow("aborted");
  await second.closed;
  await expect(client.collect(chat(upstream.baseUrl, AbortSignal.abort()), LIMIT)).rejects.toThrow("aborted");
  expect(upstream.requests).toHaveLength(2);
});

test("[G6] a request left while its connection is made is never sent", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const heard: string[] = [];
  const hear = (what: string) => () => void heard.push(what);
  const handler = {
    onHeaders: hear("headers"),
    onData: hear("data"),
    onEnd: hear("end"),
    onError: hear("error"),
  };
  client.request(chat(upstream.baseUrl), handler).abort();
  for (let count = 0; count < 3; count += 1) {
    await client.collect(get(`${upstream.baseUrl}/models`), LIMIT);
  }
  expect(upstream.requests.map((request) => request.method)).toEqual(["GET", "GET", "GET"]);
  expect(heard).toEqual([]);
});

test("[G6] pause holds the upstream back and resume lets everything through", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const size = 32 * 1024 * 1024;
  upstream.behave({ kind: "huge", bytes: size });
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<void>();
  const { promise: firstData, resolve: gotData } = Promise.withResolvers<void>();
  let received = 0;
  const under = client.request(chat(upstream.baseUrl), {
    onHeaders: () => {},
    onData: (chunk) => {
      if (received === 0) under.pause();
      received += chunk.length;
      gotData();
    },
    onEnd: end,
    onError: reject,
  });
  await firstData;
  // Whole requests on another connection go by while this one is paused, and it gets not one byte more.
  const receivedAtPause = received;
  upstream.behave({ kind: "ok" });
  for (let count = 0; count < 20; count += 1) {
    await client.collect(get(`${upstream.baseUrl}/models`), LIMIT);
  }
  expect(received).toBe(receivedAtPause);
  under.resume();
  await ended;
  expect(received).toBeGreaterThan(size);
});

test("an answer over the limit is refused and its connection closed", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  upstream.behave({ kind: "huge", bytes: 4 * LIMIT });
  const error = await failure(client, get(`${upstream.baseUrl}/models`));
  expect(error).toMatchObject({ code: "upstream_failed", message: expect.stringContaining("larger than") });
  await upstream.requests[0]?.closed;
});

test("close ends what is under way, and later requests are refused", async () => {
  await using upstream = await startUpstream();
  const client = createEgressClient();
  upstream.behave({ kind: "stall", after: "request", until: NEVER });
  const pending = failure(client, chat(upstream.baseUrl));
  await upstream.arrived(0);
  await client.close();
  expect((await pending).code).toBe("upstream_failed");
  expect((await failure(client, chat(upstream.baseUrl))).code).toBe("shutting_down");
});
