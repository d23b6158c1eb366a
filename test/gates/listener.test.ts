import { mkdtempDisposableSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Front } from "#platform/http/front.ts";
import { openListener, SENDER_TIMEOUTS } from "#platform/http/listener.ts";
import { startClaviger } from "#test/claviger.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { openRaw, statusOf } from "./raw.ts";

const policy = listenerPolicy();
const open = (timeouts: { headersMs: number; requestMs: number }, front: Front, broken: string[] = []) =>
  openListener({
    target: { host: "127.0.0.1", port: 0 },
    policy,
    front,
    newRequestId: () => "req_test",
    onBroken: ({ code }) => broken.push(code),
    timeouts,
  });

test("[A8] headers may take 20 s and a whole request 60 s", () => {
  expect(SENDER_TIMEOUTS).toEqual({ headersMs: 20_000, requestMs: 60_000 });
});

test("[A8] who sends his headers slowly is cut with 408, and the log is told", async () => {
  const broken: string[] = [];
  const listener = await open({ headersMs: 150, requestMs: 5000 }, () => {}, broken);
  await using connection = openRaw(listener.url);
  connection.socket.write("GET / HTTP/1.1\r\nX-Slow: ");
  const drip = setInterval(() => connection.socket.write("x"), 20);
  const text = await connection.untilClosed();
  clearInterval(drip);
  expect(statusOf(text)).toBe(408);
  expect(text).toContain("request_timeout");
  expect(broken).toEqual(["request_timeout"]);
  await listener.close(0);
});

test("[A8] who sends his body slowly is cut, headers or not", async () => {
  const listener = await open({ headersMs: 150, requestMs: 300 }, (request) => request.resume());
  await using connection = openRaw(listener.url);
  connection.socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
  const drip = setInterval(() => connection.socket.write("x"), 20);
  const text = await connection.untilClosed();
  clearInterval(drip);
  expect(statusOf(text)).toBe(408);
  await listener.close(0);
});

test("[A8] what breaks while an answer is on its way cuts the connection and adds nothing to the answer", async () => {
  const listener = await open({ headersMs: 5000, requestMs: 5000 }, (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
  });
  await using connection = openRaw(listener.url);
  connection.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await connection.until(/data: 1/);
  connection.socket.write("\0nonsense\r\n\r\n");
  const text = await connection.untilClosed();
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  await listener.close(0);
});

test.each([
  "127.0.0.1",
  "::1",
])("[N9] an address in use on %s is refused at once, with the pid and what to do", async (host) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen({ host, port: 0, ipv6Only: host === "::1" }, resolve));
  const bound = other.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const address = host === "::1" ? `[::1]:${port}` : `127.0.0.1:${port}`;
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-in-use-"));
  const started = performance.now();
  const refused = expect(startClaviger({ dataDir: directory.path, listen: [address] })).rejects;
  const pid = process.platform === "linux" ? ` by process ${process.pid}` : "";
  await refused.toThrow(
    `cannot listen on ${address}: The address is in use${pid}. Stop the other program, or choose another address with --listen.`,
  );
  expect(performance.now() - started).toBeLessThan(2000);
  await new Promise((resolve) => other.close(resolve));
});
