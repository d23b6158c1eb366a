import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { createEgressClient, type EgressClient, type EgressParts } from "./egress-client.ts";

const LIMIT = 8 * 1024 * 1024;

/** An upstream that says exactly these bytes, or does what it is told with the socket, once a request has come. */
async function startRaw(onRequest: (socket: Socket, count: number) => void) {
  const seen: { connection: number; text: string }[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) =>
      onRequest(socket, seen.push({ connection, text: bytes.toString("latin1") })),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: new URL(`http://127.0.0.1:${port}/v1/x`),
    seen,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const post = (client: EgressClient, url: URL) =>
  client.collect(
    { url, method: "POST", headers: ["content-type", "text/plain"], body: Buffer.from("hello") },
    LIMIT,
  );

async function failing(answer: string | Buffer | ((socket: Socket) => void), parts: EgressParts = {}) {
  await using upstream = await startRaw((socket) => {
    if (typeof answer === "function") answer(socket);
    else socket.end(answer);
  });
  await using client = createEgressClient(parts);
  const error = await post(client, upstream.url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`no AppError came: ${String(error)}`);
  expect(upstream.seen).toHaveLength(1);
  return error;
}

async function answered(answer: string | Buffer) {
  await using upstream = await startRaw((socket) => void socket.end(answer));
  await using client = createEgressClient();
  return await post(client, upstream.url);
}

const OK = "HTTP/1.1 200 OK\r\n";

describe("an answer that cannot be used is upstream_failed, and the request is sent once", () => {
  const answers: Record<string, string | ((socket: Socket) => void)> = {
    "no HTTP at all": "SSH-2.0-OpenSSH_9.2\r\n",
    "closed without an answer": "",
    reset: (socket) => void socket.resetAndDestroy(),
    "reset within the head": (socket) => void socket.write(OK, () => socket.resetAndDestroy()),
    "content-length no number": `${OK}content-length: abc\r\n\r\nabc`,
    "content-length negative": `${OK}content-length: -1\r\n\r\n`,
    "two lengths": `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`,
    "length and chunks": `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    "body shorter than said": `${OK}content-length: 10\r\n\r\nabc`,
    "chunk size no number": `${OK}transfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n`,
    "chunks without end": `${OK}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    "head over 32 KiB": `${OK}x: ${"a".repeat(40 * 1024)}\r\n\r\n`,
    "many headers": `${OK}${"a: b\r\n".repeat(20 * 1024)}\r\n`,
    "NUL in a header": `${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`,
    "line feed only": "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "an upgrade nobody asked for": "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "a go-ahead nobody asked for": `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`,
    "informational answers without end": (socket) => {
      const more = () =>
        void (socket.writable && socket.write("HTTP/1.1 103 Hints\r\n\r\n".repeat(64), more));
      more();
    },
  };
  for (const [what, answer] of Object.entries(answers)) {
    test(what, async () => {
      expect((await failing(answer)).code).toBe("upstream_failed");
    });
  }
});

test("an answer in HTTP/1.0 ends where the connection ends", async () => {
  const answer = await answered("HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it");
  expect(answer.body.toString()).toBe("all of it");
});

test("informational answers are passed over and trailers do not reach the body", async () => {
  const answer = await answered(
    `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\nx-hint: 1\r\n\r\n${OK}transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n`,
  );
  expect([answer.status, answer.body.toString()]).toEqual([200, "abc"]);
  expect(answer.headers).not.toContain("x-hint");
});

test("[G4] a compressed answer passes as it is", async () => {
  const packed = gzipSync("some text ".repeat(100));
  const head = `${OK}content-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`;
  const answer = await answered(Buffer.concat([Buffer.from(head), packed]));
  expect(answer.headers).toContain("gzip");
  expect(answer.body).toEqual(packed);
});

test("[G12] an upstream's own timeouts hold, before the head and within the body", async () => {
  await using upstream = await startRaw((socket, count) => {
    if (count > 1) socket.write(`${OK}content-length: 10\r\n\r\nabc`);
  });
  await using client = createEgressClient({
    timeouts: { headersTimeoutMs: 60_000, bodyIdleTimeoutMs: 60_000 },
  });
  const request = { url: upstream.url, method: "GET", headers: [] };
  const own = { headersTimeoutMs: 50, bodyIdleTimeoutMs: 50 };
  await expect(client.collect({ ...request, upstream: own }, LIMIT)).rejects.toMatchObject({
    code: "upstream_timeout",
  });
  await expect(client.collect({ ...request, upstream: own }, LIMIT)).rejects.toMatchObject({
    code: "upstream_timeout",
  });
  expect(upstream.seen).toHaveLength(2);
});

const KEPT = `${OK}content-length: 2\r\n\r\nok`;

test("a kept connection that the upstream closed while idle is not used again, and nothing is lost", async () => {
  await using upstream = await startRaw((socket) => void socket.end(KEPT));
  await using client = createEgressClient();
  for (let count = 1; count <= 20; count += 1) {
    expect((await post(client, upstream.url)).body.toString()).toBe("ok");
    expect(upstream.seen).toHaveLength(count);
  }
  expect(upstream.sockets).toHaveLength(20);
});

test("a request that was sent on a kept connection as it broke is never sent again", async () => {
  const used = new Set<Socket>();
  await using upstream = await startRaw((socket) => {
    if (used.has(socket)) socket.resetAndDestroy();
    else socket.write(KEPT);
    used.add(socket);
  });
  await using client = createEgressClient();
  let sent = 0;
  const sendUntilReused = async () => {
    for (; sent < 50; sent += 1) await post(client, upstream.url);
  };
  await expect(sendUntilReused()).rejects.toMatchObject({ code: "upstream_failed" });
  expect(upstream.seen).toHaveLength(sent + 1);
  expect(used.size).toBe(sent);
});

test("[G12] a TLS handshake that is not answered ends with the connect timeout, and its connection is closed", async () => {
  await using upstream = await startRaw(() => {});
  await using client = createEgressClient({ timeouts: { connectTimeoutMs: 50 } });
  const url = new URL(upstream.url.href.replace("http:", "https:"));
  await expect(post(client, url)).rejects.toMatchObject({
    code: "upstream_unreachable",
    message: "The upstream did not accept a connection in time.",
  });
  const [socket] = upstream.sockets;
  if (socket !== undefined && !socket.destroyed) await once(socket, "close");
  expect(upstream.sockets).toHaveLength(1);
});

test("a TLS upstream that speaks something else is upstream_unreachable", async () => {
  await using upstream = await startRaw((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  await using client = createEgressClient();
  const url = new URL(upstream.url.href.replace("http:", "https:"));
  await expect(post(client, url)).rejects.toMatchObject({
    code: "upstream_unreachable",
    message: "No trusted TLS connection to the upstream could be made.",
  });
});
