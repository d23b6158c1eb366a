import { once } from "node:events";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startUpstream, type Upstream } from "../upstream.ts";
import { claviger, type Served, scratch, serve } from "./process.ts";
import { refusesConnections } from "./refused-connections.ts";

vi.setConfig({ testTimeout: 60_000 });

test.each([
  "SIGTERM",
  "SIGINT",
] as const)("%s lets a running stream end, refuses new connections meanwhile, and the status is 0", async (signal) => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serveWithProvider(place.path, upstream, 30_000);
  const released = Promise.withResolvers<void>();
  upstream.behave({ kind: "stall", after: 200, until: released.promise });
  const stream = await openStream(server.url);
  expect((await stream.chunk()).length).toBeGreaterThan(0);
  server.child.kill(signal);
  await refusesConnections(server.url);
  expect((await claviger(["status", "--data-dir", place.path])).status).toBe(69);
  expect(server.child.exitCode).toBe(null);
  released.resolve();
  expect(await stream.rest()).toContain("[DONE]");
  const ended = performance.now();
  expect((await server.ended).status).toBe(0);
  // The client kept its connection; that alone must not hold the server until the deadline.
  expect(performance.now() - ended).toBeLessThan(10_000);
  await refusesConnections(server.url);
});

test("a connection that was opened ahead and says nothing does not hold the server", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serveWithProvider(place.path, upstream, 30_000);
  const { hostname, port } = new URL(server.url);
  const silent = connect(Number(port), hostname);
  silent.on("error", () => undefined);
  await once(silent, "connect");
  // Answered behind it, so that the server has taken it.
  await (await openStream(server.url)).rest();
  const begun = performance.now();
  server.child.kill("SIGTERM");
  expect((await server.ended).status).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test("a stream that does not end is cut at the drain timeout, and the status is 0", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serveWithProvider(place.path, upstream, 700);
  upstream.behave({ kind: "stall", after: 200, until: new Promise(() => {}) });
  const stream = await openStream(server.url);
  await stream.chunk();
  const begun = performance.now();
  server.child.kill("SIGTERM");
  expect(await stream.rest()).not.toContain("[DONE]");
  expect((await server.ended).status).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(650);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test.each([
  ["SIGTERM", "SIGTERM", 143],
  ["SIGTERM", "SIGINT", 130],
] as const)("after %s a %s ends the process at once", async (first, second, status) => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serveWithProvider(place.path, upstream, 60_000);
  upstream.behave({ kind: "stall", after: 200, until: new Promise(() => {}) });
  const stream = await openStream(server.url);
  await stream.chunk();
  server.child.kill(first);
  await refusesConnections(server.url);
  server.child.kill(second);
  expect((await server.ended).status).toBe(status);
});

test("a reader of the output that goes away neither stops the server nor makes it fail", async () => {
  using place = scratch();
  await using server = await serve(place.path);
  server.child.stdout?.destroy();
  server.child.stderr?.destroy();
  for (let count = 0; count < 3; count++) expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect((await server.kill("SIGTERM")).status).toBe(0);
});

test("a full disk behind the output neither stops the server nor makes it fail", async () => {
  using place = scratch();
  const full = openSync("/dev/full", "w");
  await using server = await serve(place.path, { stdout: full });
  closeSync(full);
  for (let count = 0; count < 3; count++) expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect((await server.kill("SIGTERM")).status).toBe(0);
});

test("an idle keep-alive connection does not hold up the end", async () => {
  using place = scratch();
  await using server = await serve(place.path);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  const begun = performance.now();
  expect((await server.kill("SIGTERM")).status).toBe(0);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

async function serveWithProvider(dataDir: string, upstream: Upstream, drainMs: number): Promise<Served> {
  mkdirSync(join(dataDir, "etc"), { recursive: true, mode: 0o700 });
  writeFileSync(join(dataDir, "etc", "claviger.yaml"), `settings:\n  drain_timeout_ms: ${drainMs}\n`);
  const server = await serve(dataDir);
  const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--no-credential"];
  await claviger([...add, "--base-url", upstream.baseUrl, "--data-dir", dataDir]);
  // The server asks for the models once; that answer must not be the one that stalls.
  expect(await (await openStream(server.url)).rest()).toContain("[DONE]");
  return server;
}

/** A streamed chat as a local program, over a connection that is kept. */
async function openStream(url: string) {
  const { hostname, port } = new URL(url);
  const headers = { "content-type": "application/json", connection: "keep-alive" };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      { hostname, port, path: "/v1/chat/completions", method: "POST", headers },
      resolve,
    );
    outgoing.on("error", reject);
    outgoing.end(
      JSON.stringify({ model: "sim/sim-1", stream: true, messages: [{ role: "user", content: "hi" }] }),
    );
  });
  const chunks = response.iterator({ destroyOnReturn: false });
  const next = async () => {
    const { value, done } = await chunks.next();
    return done === true ? undefined : String(value);
  };
  return {
    chunk: async () => (await next()) ?? "",
    /** Everything until the stream ended or was cut. */
    rest: async () => {
      let text = "";
      try {
        for (let part = await next(); part !== undefined; part = await next()) text += part;
      } catch {
        return `${text} (cut)`;
      }
      return text;
    },
  };
}
