import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openRaw, type RawConnection } from "#test/gates/raw.ts";
import type { ClientRequest, ClientResponse } from "../client-request.ts";
import { PlainConnections } from "./plain-connections.ts";

type Serve = (request: ClientRequest, response: ClientResponse) => void;

const TIMEOUTS = { headersMs: 60_000, requestMs: 60_000, keptMs: 60_000 };

interface Server extends AsyncDisposable {
  readonly url: string;
  readonly plain: PlainConnections;
  /** What was refused without a request, and whether an answer was on its way then. */
  readonly refused: [code: string | undefined, begun: boolean][];
}

async function start(serve: Serve, timeouts: Partial<typeof TIMEOUTS> = {}): Promise<Server> {
  const server = createServer((request, response) => {
    response.end(`by Node: ${request.method} ${request.url}`);
  });
  const refused: Server["refused"] = [];
  const plain = new PlainConnections(server, {
    headerLimitBytes: 16_384,
    timeouts: { ...TIMEOUTS, ...timeouts },
    serve,
    refuse: ({ code }, socket, begun) => {
      refused.push([code, begun]);
      socket.destroy();
    },
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    plain,
    refused,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      plain.closeIdle();
    },
  };
}

/** What it answers to the path, when the whole request is there. */
const answerPath: Serve = (request, response) => {
  request.on("end", () => {
    const text = `by us: ${request.url}`;
    response.writeHead(200, ["content-length", String(text.length)]);
    response.end(text, "latin1");
  });
  request.resume();
};

const post = (path: string, body: string, more = "") =>
  `POST /v1/${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`;

const bodies = (text: string) => text.match(/by (us|Node): \S+( \S+)?(?=HTTP|$)/g);

test("[A8] requests that come at once are answered one after the other, also when one is for Node to read", async () => {
  await using server = await start(answerPath);
  await using client = openRaw(server.url);
  const last = "GET /v1/c HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  client.socket.write(post("a", "1") + post("b", "22") + last + post("d", "3"));
  expect(bodies(await client.untilClosed())).toEqual(["by us: /v1/a", "by us: /v1/b", "by Node: GET /v1/c"]);
});

test("whoever sends very many requests at once has nobody else wait until all of them are answered", async () => {
  await using server = await start(answerPath);
  await using other = openRaw(server.url);
  await using many = openRaw(server.url);
  for (const client of [other, many]) {
    client.socket.write(post("begun", ""));
    await client.until(/begun/);
  }
  many.socket.write(post("many", "1").repeat(500) + post("last", ""));
  other.socket.write(post("other", ""));
  await other.until(/other/);
  expect(bodies(await many.until(/^/))?.length ?? 0).toBeLessThan(250);
  expect(bodies(await many.until(/last/))?.length).toBe(502);
});

test("of requests that come at once all are answered, also when nothing more is to come", async () => {
  await using server = await start(answerPath);
  await using client = openRaw(server.url);
  client.socket.end(post("a", "1") + post("b", "22") + post("c", ""));
  expect(bodies(await client.untilClosed())).toEqual(["by us: /v1/a", "by us: /v1/b", "by us: /v1/c"]);
});

test("a header says in each answer what it was told to, however often that was the same before; no value ends its line", async () => {
  const repeated = ["one", "one", "two", "one", "", "", "\xe4", "\xe4", "x".repeat(300), "x".repeat(300)];
  const values = [
    ...repeated,
    ...Array.from({ length: 20 }, (_, at) => `each another ${at}`),
    ...repeated,
    "end",
  ];
  const left = [...values];
  await using server = await start((_request, response) => {
    const value = left.shift() ?? "";
    expect(() => response.writeHead(200, ["x-said", `${value}\r\nx-more: 1`])).toThrow();
    response.writeHead(200, ["x-said", value, "content-length", "0"]);
    response.end();
  });
  await using client = openRaw(server.url);
  client.socket.write(values.map(() => post("a", "1")).join(""));
  const answers = await client.until(/x-said: end\r/);
  expect([...answers.matchAll(/^x-said: (.*)\r$/gm)].map(([, value]) => value)).toEqual(values);
  expect(answers).not.toContain("x-more");
});

test("a connection is Node's from the first request on that is not plain, and nothing of it is lost", async () => {
  await using server = await start(answerPath);
  await using client = openRaw(server.url);
  for (const [path, by] of [
    ["a", "us: "],
    ["%62", "Node: POST "],
    ["c", "Node: POST "],
  ]) {
    client.socket.write(post(path ?? "", "body"));
    await client.until(new RegExp(`by ${by}/v1/${path}$`));
  }
});

test("a body comes in its pieces, and waits for whoever reads it later; what is more than 64 KiB waits at the client", async () => {
  const size = 8 * 1024 * 1024;
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<ClientRequest>();
  const { promise: whole, resolve: end } = Promise.withResolvers<number>();
  await using server = await start((request) => arrive(request));
  await using client = openRaw(server.url);
  client.socket.write(`POST /v1/a HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
  client.socket.write(Buffer.alloc(size, "x"));
  const request = await arrived;
  await expect.poll(() => request.socket.isPaused()).toBe(true);
  expect(request.complete).toBe(false);
  expect(request.socket.bytesRead).toBeLessThan(1024 * 1024);
  let received = 0;
  request.on("data", (piece) => {
    received += piece.length;
  });
  request.on("end", () => end(received));
  request.resume();
  expect(await whole).toBe(size);
  expect(request.complete).toBe(true);
});

test("[A8] a body that is there before it was refused, and that nobody read, does not hold up the next request", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<[ClientRequest, ClientResponse]>();
  await using server = await start((request, response) => {
    if (request.url === "/v1/refused") ask([request, response]);
    else answerPath(request, response);
  });
  await using client = openRaw(server.url);
  // Its last byte is the first that is too many to wait.
  client.socket.write(post("refused", "x".repeat(64 * 1024 + 1)));
  const [request, response] = await asked;
  await expect.poll(() => request.complete && request.socket.isPaused()).toBe(true);
  response.writeHead(401, ["content-length", "7"]);
  response.end("refused", "latin1");
  client.socket.write(post("b", "1"));
  expect(bodies(await client.until(/v1\/b$/))).toEqual(["by us: /v1/b"]);
});

test("a body is given whole once all of it is there, to one, and not to who heard of a part of it", async () => {
  const asked: ClientRequest[] = [];
  await using server = await start((request) => void asked.push(request));
  await using client = openRaw(server.url);
  const whole = post("whole", "1234");
  client.socket.write(whole.slice(0, -2));
  await expect.poll(() => asked[0]?.socket.bytesRead).toBe(whole.length - 2);
  expect(asked[0]?.takeWhole?.()).toBeUndefined();
  client.socket.write(whole.slice(-2));
  await expect.poll(() => asked[0]?.complete).toBe(true);
  expect(asked[0]?.takeWhole?.()?.toString()).toBe("1234");
  expect(asked[0]?.takeWhole?.()).toBeUndefined();
  await using other = openRaw(server.url);
  other.socket.write(post("heard", "56"));
  await expect.poll(() => asked[1]?.complete).toBe(true);
  asked[1]?.resume();
  expect(asked[1]?.takeWhole?.()).toBeUndefined();
});

test("behind an answer that says it is the last nothing is served, however slowly it is read", async () => {
  const served: (string | undefined)[] = [];
  const { promise: asked, resolve: ask } = Promise.withResolvers<ClientRequest>();
  const answer = Buffer.alloc(16 * 1024 * 1024);
  await using server = await start((request, response) => {
    served.push(request.url);
    response.writeHead(400, { connection: "close", "content-length": String(answer.length) });
    response.end(answer);
    ask(request);
  });
  await using client = openRaw(server.url);
  client.socket.pause();
  const first = post("a", "body");
  const all = first + post("b", "1");
  client.socket.write(all.slice(0, first.length - 2));
  const request = await asked;
  client.socket.write(all.slice(first.length - 2));
  await expect.poll(() => request.socket.bytesRead).toBe(all.length);
  client.socket.resume();
  await client.untilClosed();
  expect(served).toEqual(["/v1/a"]);
});

test("what was answered before it was read is read to its end, and the next request is served", async () => {
  await using server = await start((request, response) => {
    const text = `by us: ${request.url}`;
    response.writeHead(413, ["content-length", String(text.length)]);
    response.end(Buffer.from(text));
  });
  await using client = openRaw(server.url);
  client.socket.write("POST /v1/a HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n");
  await client.until(/by us: \/v1\/a$/);
  client.socket.write("x".repeat(300_000) + post("b", "1"));
  expect(bodies(await client.until(/v1\/b$/))).toEqual([
    "by us: /v1/a",
    expect.stringMatching(/^by (us:|Node: POST) \/v1\/b$/),
  ]);
});

test("while an answer is on its way no more than 64 KiB of what follows is taken, and none is lost", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<[ClientRequest, ClientResponse]>();
  await using server = await start((request, response) => {
    if (request.url === "/v1/first") ask([request, response]);
    else answerPath(request, response);
  });
  await using client = openRaw(server.url);
  const count = 40;
  const many = Array.from({ length: count }, (_, number) => post(`${number}`, "y".repeat(200_000)));
  client.socket.write(post("first", "1") + many.join(""));
  const [request, response] = await asked;
  await expect.poll(() => request.socket.isPaused()).toBe(true);
  expect(request.socket.bytesRead).toBeLessThan(1024 * 1024);
  answerPath(request, response);
  // Whoever reads them: a head that comes in two pieces is Node's.
  const answered = (await client.until(new RegExp(`v1/${count - 1}$`))).match(
    /(?<=by (us: |Node: POST ))\/v1\/\w+?(?=HTTP|$)/g,
  );
  expect(answered).toEqual(["/v1/first", ...many.map((_text, number) => `/v1/${number}`)]);
});

test("who leaves ends his answer, and his request where it was not whole", async () => {
  const events: string[] = [];
  const { promise: gone, resolve: go } = Promise.withResolvers<void>();
  await using server = await start((request, response) => {
    request.on("close", () => {
      events.push("request");
      go();
    });
    response.on("close", () => events.push(`answer, ${response.destroyed}`));
    response.writeHead(200, []);
    response.write(Buffer.from("begun"));
  });
  await using client = openRaw(server.url);
  client.socket.write("POST /v1/a HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nx");
  await client.until(/begun/);
  client.socket.destroy();
  await gone;
  expect(events).toEqual(["answer, true", "request"]);
});

test("an answer is over once, when all of it is with the system", async () => {
  let closes = 0;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  await using server = await start((_request, response) => {
    const before = closes;
    response.on("close", () => {
      closes += 1;
      end();
    });
    response.writeHead(200, ["content-length", "2"]);
    response.end("ok", "latin1");
    response.end("again", "latin1");
    expect(response.write(Buffer.from("and more"))).toBe(false);
    expect(closes).toBe(before);
  });
  await using client = openRaw(server.url);
  client.socket.write(post("a", "1"));
  await over;
  await client.until(/\r\n\r\nok$/);
  client.socket.write(post("b", "1"));
  const text = await client.until(/\r\n\r\nokHTTP.*\r\n\r\nok$/s);
  expect(text.match(/^HTTP|\r\n\r\nok(?=HTTP|$)/g)).toEqual(["HTTP", "\r\n\r\nok", "\r\n\r\nok"]);
  expect(closes).toBe(2);
});

test("an answer that leaves whole is over when the system has all of it, and not before; then the next request is served", async () => {
  const whole = Buffer.alloc(16 * 1024 * 1024, "x");
  const events: string[] = [];
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  await using server = await start((request, response) => {
    events.push(`${request.url} asked`);
    response.on("close", () => events.push(`${request.url} over`));
    const body = request.url === "/v1/large" ? whole : Buffer.from("small");
    response.writeHead(200, ["content-length", String(body.length)]);
    response.endWhole?.(body);
    if (request.url === "/v1/large") ask();
  });
  await using client = openRaw(server.url);
  client.socket.pause();
  client.socket.write(post("a", "1") + post("b", "1") + post("large", "1") + post("c", "1"));
  await asked;
  const before = ["/v1/a asked", "/v1/a over", "/v1/b asked", "/v1/b over", "/v1/large asked"];
  expect(events).toEqual(before);
  let received = 0;
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  client.socket.on("data", (bytes) => {
    received += bytes.length;
    if (received > whole.length) arrive();
  });
  client.socket.resume();
  await arrived;
  await client.until(/xHTTP[^x]*small$/);
  expect(events).toEqual([...before, "/v1/large over", "/v1/c asked", "/v1/c over"]);
});

test("a client that reads slowly is told of: nothing more until it has caught up", async () => {
  const { promise: drained, resolve: drain } = Promise.withResolvers<void>();
  const { promise: full, resolve: fill } = Promise.withResolvers<void>();
  await using server = await start((_request, response) => {
    response.writeHead(200, []);
    const piece = Buffer.alloc(256 * 1024);
    while (response.write(piece));
    response.once("drain", drain);
    fill();
  });
  await using client = openRaw(server.url);
  client.socket.pause();
  client.socket.write(post("a", "1"));
  await full;
  client.socket.resume();
  await drained;
});

test.each([
  ["a header name", ["x y", "1"]],
  ["an empty header name", ["", "1"]],
  ["a line end in a value", ["x", "1\r\nset-cookie: a"]],
  ["a character of two bytes in a value", ["x", "€"]],
])("%s that no client could read is an error, and nothing is sent", async (_what, headers) => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await using server = await start((_request, response) => {
    try {
      response.writeHead(200, headers);
    } catch (error) {
      resolve(error);
      response.destroy();
    }
  });
  await using client = openRaw(server.url);
  client.socket.write(post("a", "1"));
  expect(await promise).toBeInstanceOf(Error);
  expect(await client.untilClosed()).toBe("");
});

test.each([
  ["[A8] who connects and sends nothing", { headersMs: 50 }, "", "ERR_HTTP_REQUEST_TIMEOUT"],
  [
    "[A8] who sends a body slowly",
    { requestMs: 50 },
    "POST /v1/a HTTP/1.1\r\ncontent-length: 9\r\n\r\nx",
    "ERR_HTTP_REQUEST_TIMEOUT",
  ],
] as const)("%s is refused when his time is over", async (_who, timeouts, sent, code) => {
  await using server = await start(answerPath, { headersMs: 200, ...timeouts });
  await using client = openRaw(server.url);
  client.socket.write(sent);
  await client.untilClosed();
  expect(server.refused).toEqual([[code, false]]);
});

test("who ends his side within a body is refused, and behind it is let go", async () => {
  await using server = await start(answerPath);
  await using short = openRaw(server.url);
  short.socket.end("POST /v1/a HTTP/1.1\r\ncontent-length: 9\r\n\r\nx");
  await short.untilClosed();
  await using client = openRaw(server.url);
  client.socket.write(post("a", "1"));
  await client.until(/by us/);
  client.socket.end();
  await client.untilClosed();
  expect(server.refused).toEqual([["HPE_INVALID_EOF_STATE", false]]);
});

test("a connection that waits for its next request is closed when it is no longer kept, or is to be", async () => {
  const asked = async (client: RawConnection) => {
    client.socket.write(post("a", "1"));
    await client.until(/by us/);
  };
  await using hasty = await start(answerPath, { headersMs: 50, keptMs: 50 });
  await using first = openRaw(hasty.url);
  await asked(first);
  await first.untilClosed();
  expect(hasty.refused).toEqual([]);
  const { promise: running, resolve: run } = Promise.withResolvers<[ClientRequest, ClientResponse]>();
  await using server = await start((request, response) => {
    if (request.url === "/v1/slow") run([request, response]);
    else answerPath(request, response);
  });
  await using second = openRaw(server.url);
  await asked(second);
  await using busy = openRaw(server.url);
  busy.socket.write(post("slow", "1"));
  const slow = await running;
  server.plain.closeIdle();
  await second.untilClosed();
  answerPath(...slow);
  await busy.until(/by us: \/v1\/slow$/);
});
