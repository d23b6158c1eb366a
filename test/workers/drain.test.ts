import { mkdirSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import type { Answer, Call } from "../claviger.ts";
import { chat } from "../gateway/bench.ts";
import { type Served, scratch, serve } from "../start/process.ts";
import { refusesConnections } from "../start/refused-connections.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { type HeldConnection, holdConnections, type Reached, textOf } from "./held-connections.ts";

vi.setConfig({ testTimeout: 60_000 });

const THREADS = 3;

test("SIGTERM lets the streams of every thread end whole, takes no new connection, and loses no row, line or refusal", async () => {
  using place = scratch();
  await using upstream = await startUpstream({ listsApart: true });
  await using server = await serveThreads(place.path, 30_000);
  const { gateway, viewer } = await configure(server.reached, upstream);
  using held = await holdConnections(server.reached, THREADS);
  using streaming = await holdConnections(server.reached, THREADS);
  const released = Promise.withResolvers<void>();
  upstream.behave({ kind: "stall", after: 200, until: released.promise });
  const streams = await openStreams(streaming.byThread, gateway);
  const forbidden = await Promise.all(
    held.byThread.map((one, thread) => one.ask(asked(viewer, `refused-${thread}`, false))),
  );
  expect(forbidden.map(({ status }) => status)).toEqual([403, 403, 403]);
  server.served.child.kill("SIGTERM");
  await refusesConnections(server.reached.url);
  expect(server.served.child.exitCode).toBe(null);
  released.resolve();
  for (const text of await Promise.all(streams.map(textOf))) expect(text).toContain("[DONE]");
  const ended = await server.served.ended;
  expect(ended.status).toBe(0);
  const { requests, audit } = stored(place.path);
  const ids = (kind: string) => Array.from({ length: THREADS }, (_, thread) => `${kind}-${thread}`);
  expect(requests).toEqual([...ids("refused"), ...ids("stream")].sort());
  expect(audit).toEqual(ids("refused"));
  for (const id of requests) expect(ended.stdout).toContain(`"request_id":"${id}"`);
});

test("streams that do not end are cut in every thread at the drain timeout, their rows are kept, and the status is 0", async () => {
  using place = scratch();
  await using upstream = await startUpstream({ listsApart: true });
  await using server = await serveThreads(place.path, 700);
  const { gateway } = await configure(server.reached, upstream);
  using streaming = await holdConnections(server.reached, THREADS);
  upstream.behave({ kind: "stall", after: 200, until: new Promise(() => {}) });
  const streams = await openStreams(streaming.byThread, gateway);
  const begun = performance.now();
  server.served.child.kill("SIGTERM");
  const ends = streams.map((stream) => textOf(stream).catch(() => "cut"));
  expect(await Promise.all(ends)).toEqual(["cut", "cut", "cut"]);
  const ended = await server.served.ended;
  expect(ended.status).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(650);
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(stored(place.path).requests).toEqual(["stream-0", "stream-1", "stream-2"]);
  for (let thread = 0; thread < THREADS; thread += 1)
    expect(ended.stdout).toContain(`"request_id":"stream-${thread}"`);
});

interface Threads extends AsyncDisposable {
  readonly served: Served;
  readonly reached: Reached;
}

async function serveThreads(dataDir: string, drainMs: number): Promise<Threads> {
  mkdirSync(join(dataDir, "etc"), { recursive: true, mode: 0o700 });
  // As a setting here; elsewhere it is given as an argument.
  const settings = `settings:\n  drain_timeout_ms: ${drainMs}\n  workers: ${THREADS}\n`;
  writeFileSync(join(dataDir, "etc", "claviger.yaml"), settings);
  const served = await serve(dataDir);
  const control = (call: Call) => overControl(controlSocketPath(dataDir), call);
  const reached = { url: served.url, control };
  return { served, reached, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
}

async function configure(reached: Reached, upstream: Upstream) {
  const post = async (path: string, body: object) => {
    const { status, json } = await reached.control({ method: "POST", path: `/api/v1/${path}`, body });
    expect(status).toBe(201);
    return json;
  };
  const issued = z.object({ key: z.string() });
  const listing = upstream.nextListing();
  const provider = { name: "sim", kind: "openai-compatible", base_url: upstream.baseUrl, credentials: [] };
  await post("providers", provider);
  await listing;
  const gateway = issued.parse(await post("keys", { name: "app", permissions: ["gateway"] })).key;
  const viewer = issued.parse(await post("keys", { name: "eye", permissions: ["viewer"] })).key;
  return { gateway, viewer };
}

const asked = (key: string, requestId: string, stream: boolean) => ({
  method: "POST",
  path: "/v1/chat/completions",
  headers: { authorization: `Bearer ${key}`, "x-request-id": requestId },
  body: chat({ stream }),
});

async function openStreams(connections: readonly HeldConnection[], key: string): Promise<IncomingMessage[]> {
  const heads = await Promise.all(
    connections.map((one, thread) => one.open(asked(key, `stream-${thread}`, true))),
  );
  expect(heads.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  return heads;
}

/** The ids of the requests and refusals that are in the store, but for those of the connections' making. */
function stored(dataDir: string): { requests: string[]; audit: string[] } {
  const store = new DatabaseSync(join(dataDir, "db", "data.sqlite"), { readOnly: true, timeout: 5000 });
  const idsIn = (table: string) =>
    store
      .prepare(`SELECT request_id FROM ${table} ORDER BY request_id`)
      .all()
      .map(({ request_id }) => String(request_id))
      .filter((id) => /^(stream|refused)-/.test(id));
  const found = { requests: idsIn("request"), audit: idsIn("audit") };
  store.close();
  return found;
}

function overControl(socketPath: string, { method = "GET", path, body }: Call): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ socketPath, method, path, headers, agent: false }, async (answer) => {
      const whole = await textOf(answer);
      const json: unknown = answer.headers["content-type"]?.includes("json") ? JSON.parse(whole) : undefined;
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: whole, json });
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}
