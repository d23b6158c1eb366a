import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { createEgressClient, type EgressClient, type EgressRequest } from "./egress-client.ts";

const LIMIT = 1024 * 1024;
const OK = "HTTP/1.1 200 OK\r\n";
const KEPT = `${OK}content-length: 2\r\n\r\nok`;

/** An upstream that hears what is sent, and says what it is told when a whole head has come. */
async function startRaw(onRequest: (socket: Socket, head: string) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    let heard = "";
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += bytes.toString("latin1");
      if (!heard.includes("\r\n\r\n")) return;
      onRequest(socket, heard);
      heard = "";
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: new URL(`http://127.0.0.1:${port}/v1/x`),
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const ask = (client: EgressClient, url: URL, more: Partial<EgressRequest> = {}) =>
  client.collect({ url, method: "GET", headers: [], ...more }, LIMIT);

/** How many of three requests, one after another with time between, had a connection of their own. */
async function connectionsOfThree(answer: string, more: Partial<EgressRequest> = {}): Promise<number> {
  await using upstream = await startRaw((socket) => void socket.write(answer));
  await using client = createEgressClient();
  for (let count = 0; count < 3; count += 1) {
    await ask(client, upstream.url, more);
    await twoTurns();
  }
  return upstream.sockets.length;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const twoTurns = () => turn().then(turn);

test("[G6] a connection is used again after an answer that told its end, and after no other", async () => {
  const body = Buffer.from("hello");
  expect(await connectionsOfThree(KEPT)).toBe(1);
  expect(await connectionsOfThree(`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`)).toBe(1);
  expect(await connectionsOfThree("HTTP/1.1 204 None\r\nkeep-alive: timeout=60\r\n\r\n")).toBe(1);
  expect(await connectionsOfThree(KEPT, { method: "POST", body })).toBe(1);
  expect(await connectionsOfThree(KEPT.replace("\r\n", "\r\nconnection: x, Close\r\n"))).toBe(3);
  expect(await connectionsOfThree(KEPT.replace("\r\n", "\r\nkeep-alive: timeout=2\r\n"))).toBe(3);
  expect(await connectionsOfThree(KEPT.replace("1.1", "1.0"))).toBe(3);
  expect(await connectionsOfThree(`${KEPT}more`)).toBe(3);
  expect(await connectionsOfThree(`${OK}content-length: 2\r\n\r\n`, { method: "HEAD" })).toBe(3);
  expect(await connectionsOfThree(KEPT, { method: "DELETE", body })).toBe(3);
});

test("[G6] an answer that comes before its request is nobody's", async () => {
  await using upstream = await startRaw((socket) => void socket.write(KEPT));
  await using client = createEgressClient();
  await ask(client, upstream.url);
  const [idle] = upstream.sockets;
  const closed = idle && once(idle, "close");
  await new Promise((resolve) => idle?.write(KEPT.replace("ok", "no"), resolve));
  expect((await ask(client, upstream.url)).body.toString()).toBe("ok");
  await closed;
  expect(upstream.sockets).toHaveLength(2);
});

test("[G6] of two requests at a time each gets its own answer", async () => {
  await using upstream = await startRaw((socket, head) => {
    const [path = ""] = /(?<=\/v1\/)\w+/.exec(head) ?? [];
    // In two parts, so that the first waits while others are read.
    socket.write(`${OK}content-length: ${path.length}\r\n\r\n${path.slice(0, 2)}`);
    void twoTurns().then(() => socket.write(path.slice(2)));
  });
  await using client = createEgressClient();
  for (let round = 0; round < 20; round += 1) {
    const paths = Array.from({ length: 8 }, (_, index) => `${index}r${round}x`);
    const answers = paths.map((path) => ask(client, new URL(path, upstream.url)));
    expect((await Promise.all(answers)).map(({ body }) => body.toString())).toEqual(paths);
  }
  expect(upstream.sockets.length).toBeLessThan(24);
});

test("[G11] an answer before the upload's end is whole; the rest is not sent, and its connection not used again", async () => {
  await using upstream = await startRaw((socket) => void socket.write(KEPT));
  await using client = createEgressClient();
  const body = new Readable({ read() {} });
  body.push("some");
  expect((await ask(client, upstream.url, { method: "PUT", body })).body.toString()).toBe("ok");
  expect(body.destroyed).toBe(true);
  await ask(client, upstream.url);
  expect(upstream.sockets).toHaveLength(2);
});

test("[G3] nothing of a caller's text ends a line of the request, or says where it ends", async () => {
  const heads: string[] = [];
  await using upstream = await startRaw((socket, head) => {
    heads.push(head);
    socket.write(KEPT);
  });
  await using client = createEgressClient();
  const bad: Partial<EgressRequest>[] = [
    { headers: ["x", "a\r\nb: c"] },
    { headers: ["x", "a\nb"] },
    { headers: ["x", "a\0"] },
    { headers: ["x", "\u0100"] },
    { headers: ["x y", "a"] },
    { headers: ["", "a"] },
    // In lower case it is the letter.
    { headers: ["\u212A", "a"] },
    { headers: ["Transfer-Encoding", "chunked"] },
    { headers: ["connection", "close"] },
    { headers: ["expect", "100-continue"] },
    { headers: ["content-length", "1"] },
    { headers: ["content-length", "1"], body: Buffer.from("ab"), method: "POST" },
    { headers: ["content-length", "2", "Content-Length", "2"], body: Buffer.from("ab"), method: "POST" },
    { headers: ["host", "a", "Host", "b"] },
    { target: "/a b" },
    { target: "/a\r\nx: y" },
    { target: "" },
    { method: "GET /" },
    { method: "CONNECT" },
  ];
  for (const more of bad)
    await expect(ask(client, upstream.url, more), JSON.stringify(more)).rejects.toMatchObject({
      code: "upstream_failed",
      detail: expect.stringMatching(/^request: /),
    });
  expect(heads).toEqual([]);
  await ask(client, upstream.url, { headers: ["host", "named.test", "x-a", "b\xe4"] });
  expect(heads[0]).toContain("\r\nhost: named.test\r\n");
  expect(heads[0]).toContain("\r\nx-a: b\xe4\r\n");
});
