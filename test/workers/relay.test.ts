import { statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawRequest, statusOf } from "../gates/raw.ts";
import { type Bench, startBench } from "../gateway/bench.ts";
import { Reading } from "../metrics/scrape.ts";
import { type HeldConnection, type HeldConnections, holdConnections, openRawTo } from "./held-connections.ts";

const MIB = 1024 * 1024;
const THREADS = 2;

/** What follows holds over a connection of the worker thread, which passes everything but the gateway on. */
let bench: Bench;
let held: HeldConnections;
let admin: string;
beforeAll(async () => {
  bench = await startBench({ workers: THREADS });
  held = await holdConnections(bench.claviger, THREADS);
  admin = (await bench.claviger.issueKey("admin", ["superadmin"])).key;
});
afterAll(async () => {
  held[Symbol.dispose]();
  await bench[Symbol.asyncDispose]();
});

const worker = (): HeldConnection => {
  const one = held.byThread[1];
  if (one === undefined) throw new Error("no connection to the worker");
  return one;
};
const auth = () => `Authorization: Bearer ${admin}`;
const bearing = () => ({ authorization: `Bearer ${admin}` });
const openRawWorker = () => openRawTo(1, bench.claviger, THREADS);
/** What comes after what is there already, until the server closes. */
async function sendToWorker(...parts: readonly (string | Buffer)[]): Promise<string> {
  await using raw = await openRawWorker();
  const before = (await raw.until(/./)).length;
  for (const part of parts) raw.socket.write(part);
  return (await raw.untilClosed()).slice(before);
}
const postKeys = (...lines: string[]) =>
  rawRequest("POST /api/v1/keys HTTP/1.1", [auth(), "Content-Type: application/json", ...lines]);
const NEW_KEY = (name: string) => JSON.stringify({ name, permissions: ["gateway"] });
/** The answers that came over a raw connection, in order; all have a declared length. */
const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

describe("methods", () => {
  test("the API answers over a worker's connection as over the main thread's", async () => {
    const path = "/api/v1/providers/twin";
    for (const connection of held.byThread) {
      const ask = (method: string, at: string, body?: object) =>
        connection.ask({ method, path: at, headers: bearing(), body });
      const made = {
        name: "twin",
        kind: "openai-compatible",
        base_url: "http://127.0.0.1:9/v1",
        credentials: [],
      };
      expect((await ask("POST", "/api/v1/providers", made)).status).toBe(201);
      const read = await ask("GET", path);
      expect(JSON.parse(read.text)).toMatchObject({ name: "twin" });
      const head = await ask("HEAD", path);
      expect([head.status, head.text, head.headers["content-length"]]).toEqual([
        200,
        "",
        read.headers["content-length"],
      ]);
      const options = { connect_timeout_ms: 1234 };
      expect((await ask("PATCH", path, { options })).status).toBe(200);
      expect(JSON.parse((await ask("GET", path)).text)).toMatchObject({ options });
      expect((await ask("DELETE", path)).status).toBe(204);
      const gone = await ask("GET", path);
      expect([gone.status, gone.headers["content-type"]]).toEqual([
        404,
        expect.stringContaining("application/problem+json"),
      ]);
      expect((await ask("GET", "/api/v1/info")).status).toBe(200);
      expect((await ask("PUT", "/nothing")).status).toBe(404);
    }
  });

  test.each(["HTTP/1.0", "HTTP/1.1"])("a request of %s with a body is answered", async (version) => {
    const body = NEW_KEY(`over-${version.replace("/", "-")}`);
    const request = postKeys(`Content-Length: ${body.length}`).replace("HTTP/1.1", version);
    expect(statusOf(await sendToWorker(request, body))).toBe(201);
  });

  test("a body of length 0 and an expectation nobody knows are no reason to wait", async () => {
    expect(statusOf(await sendToWorker(postKeys("Content-Length: 0")))).toBe(400);
    const body = NEW_KEY("expects");
    const strange = await sendToWorker(postKeys(`Content-Length: ${body.length}`, "Expect: a-reply"), body);
    expect(statusOf(strange)).toBe(201);
    expect(strange).not.toContain("100 Continue");
  });
});

describe("bodies", () => {
  test("[A8] a declared length over the limit is 413 at once", async () => {
    const text = await sendToWorker(postKeys(`Content-Length: ${MIB + 1}`, "Expect: 100-continue"));
    expect(statusOf(text)).toBe(413);
    expect(text).not.toContain("100 Continue");
  });

  test("[A8] a body of undeclared length is 413 once it exceeds the limit, and the answer arrives whole", async () => {
    const length = MIB + 1;
    const chunk = `${length.toString(16)}\r\n${" ".repeat(length)}\r\n`;
    const text = await sendToWorker(postKeys("Transfer-Encoding: chunked"), chunk);
    expect(statusOf(text)).toBe(413);
    expect(text).toContain('"body_too_large"');
  });

  test("what was not read of a refused body is not taken for a request, and the connection is closed", async () => {
    await using raw = await openRawWorker();
    const before = (await raw.until(/./)).length;
    const next = rawRequest("GET /api/v1/info HTTP/1.1");
    const head = ["POST /api/v1/keys HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 100000", "", ""];
    raw.socket.write(head.join("\r\n"));
    await raw.until(/ 401 .*\}$/s);
    raw.socket.write(next);
    const text = (await raw.untilClosed()).slice(before);
    expect(statusesIn(text)).toEqual([401]);
  });

  test("who waits to be asked for his body is asked, once he was let in", async () => {
    await using raw = await openRawWorker();
    const body = NEW_KEY("asked");
    raw.socket.write(postKeys(`Content-Length: ${body.length}`, "Expect: 100-continue"));
    await raw.until(/HTTP\/1\.1 100 Continue\r\n\r\n$/);
    raw.socket.write(body);
    expect(await raw.untilClosed()).toMatch(/HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  });

  test("a stranger is refused before his body is read", async () => {
    const lines = ["Content-Type: application/json", "Content-Length: 1000"];
    expect(statusOf(await sendToWorker(rawRequest("POST /api/v1/keys HTTP/1.1", lines)))).toBe(401);
  });

  test("[A8] headers of nearly 16 KiB pass, and above it none", async () => {
    const asked = (bytes: number) => rawRequest("GET /api/v1/info HTTP/1.1", [`X-A: ${"a".repeat(bytes)}`]);
    expect(statusOf(await sendToWorker(asked(16_330)))).toBe(200);
    const many = Array.from({ length: 2500 }, (_, at) => `x${at}:1`);
    expect(statusOf(await sendToWorker(rawRequest("GET /api/v1/info HTTP/1.1", many)))).toBe(200);
    expect(statusOf(await sendToWorker(asked(16_500)))).toBe(431);
  });

  test("bytes beyond ASCII in a path or a header end no thread", async () => {
    for (const odd of ["GET /api/v1/\xe9\xff HTTP/1.1", "GET /api/v1/info?\x80 HTTP/1.1", "GET * HTTP/1.1"]) {
      const text = await sendToWorker(Buffer.from(rawRequest(odd, ["X-A: \xe9\xff\t\x80"]), "latin1"));
      expect(statusOf(text)).toBeGreaterThanOrEqual(200);
    }
    const { text } = await bench.claviger.control({ path: "/metrics" });
    expect(new Reading(text).value("claviger_worker_restarts_total")).toBe(0);
  });
});

describe("who asks", () => {
  test("[A7] a Host that is not ours is 421", async () => {
    for (const host of ["evil.example", "127.0.0.1.evil.example"])
      expect((await worker().ask({ path: "/api/v1/info", headers: { host } })).status).toBe(421);
  });

  test("[A10] a page of another origin is 403 without a credential of its own", async () => {
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
      const answer = await worker().ask({ path: "/api/v1/keys", headers });
      expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('"cross_origin"')]);
    }
  });

  test.each([
    "- - control",
    "127.0.0.9 - control",
    "127.0.0.9 - 127.0.0.1:1",
  ])("a header of the relay's own name, %s, gains its sender nothing", async (forged) => {
    const requestId = `forged-${forged.replaceAll(/[^a-z0-9]/g, "-")}`;
    const headers = { "x-claviger-relayed": forged, "x-request-id": requestId };
    expect((await worker().ask({ path: "/api/v1/keys", headers })).status).toBe(401);
    expect(await accessLine(requestId)).toMatchObject({ address: "127.0.0.1", listener: "local" });
    const first = await sendToWorker(
      `GET /api/v1/keys HTTP/1.1\r\nx-claviger-relayed: ${forged}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(first)).toBe(401);
    const port = new URL(bench.claviger.url).port;
    const named = { ...headers, "x-claviger-relayed": `- - 127.0.0.1:${port}` };
    expect((await worker().ask({ path: "/api/v1/keys", headers: named })).status).toBe(401);
  });

  test("the access log has the client's address and the listener's name", async () => {
    const headers = { ...bearing(), "x-request-id": "seen-through-the-relay" };
    expect((await worker().ask({ path: "/api/v1/keys", headers })).status).toBe(200);
    expect(await accessLine("seen-through-the-relay")).toMatchObject({
      address: "127.0.0.1",
      listener: "local",
      route: "/api/v1/keys",
      principal: expect.stringMatching(/^key_/),
    });
  });

  test("the relay's socket is the owner's alone, and drops what does not come by the relay", async () => {
    const socketPath = join(bench.claviger.app.controlSocket, "..", "relay.sock");
    expect(statSync(join(socketPath, "..")).mode & 0o777).toBe(0o700);
    const port = new URL(bench.claviger.url).port;
    const relayed = (told: string) => ["x-claviger-relayed", told, "host", "127.0.0.1"];
    const right = `127.0.0.1 - 127.0.0.1:${port}`;
    const others = [
      ["host", "127.0.0.1"],
      ["x-other", right, "host", "127.0.0.1"],
    ];
    for (const headers of [...others, relayed("- - control"), relayed("127.0.0.1 - 127.0.0.1:1")])
      await expect(overSocket(socketPath, headers)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await overSocket(socketPath, relayed(right))).toBe(401);
  });
});

describe("connections", () => {
  test("what is sent at once, to the gateway and the API in turn, is answered in order", async () => {
    await using raw = await openRawWorker();
    const before = (await raw.until(/./)).length;
    const get = (path: string, ...lines: string[]) =>
      [`GET ${path} HTTP/1.1`, "Host: 127.0.0.1", auth(), ...lines, "", ""].join("\r\n");
    const paths = [
      "/v1/models",
      "/api/v1/info",
      "/v1/nothing",
      "/api/v1/nothing",
      "/v1/models",
      "/api/v1/keys",
    ];
    raw.socket.write(paths.map((path) => get(path)).join("") + get("/v1/models", "Connection: close"));
    const text = (await raw.untilClosed()).slice(before);
    expect(statusesIn(text)).toEqual([200, 200, 404, 404, 200, 200, 200]);
    expect(text).toMatch(/"node_id".*"data".*"data"/s);
  });

  test("a kept connection goes on after every kind of answer", async () => {
    const connection = worker();
    const headers = bearing();
    const statuses: number[] = [];
    for (let round = 0; round < 20; round += 1)
      for (const path of ["/v1/models", "/api/v1/info", "/api/v1/nothing", "/v1/nothing"])
        statuses.push((await connection.ask({ path, headers })).status);
    expect(new Set(statuses.filter((_, index) => index % 4 < 2))).toEqual(new Set([200]));
    expect(new Set(statuses.filter((_, index) => index % 4 >= 2))).toEqual(new Set([404]));
  });

  test("when a client leaves while the main thread works for him, that request ends there", async () => {
    await using raw = await openRawWorker();
    raw.socket.write(
      `${postKeys("Content-Length: 1000", "X-Request-Id: leaves").replace("Connection: close\r\n", "")}{`,
    );
    await running(2);
    raw.socket.destroy();
    await running(1);
    expect(await accessLine("leaves")).toMatchObject({ status: 499 });
  });
});

/** Settles when so many requests run, the one that asks for it included. */
async function running(count: number): Promise<void> {
  for (;;) {
    const { text } = await bench.claviger.control({ path: "/metrics" });
    if (new Reading(text).value("claviger_http_requests_running") === count) return;
  }
}

/** The line of the access log, once it is there. */
async function accessLine(requestId: string): Promise<unknown> {
  for (;;) {
    const line = bench.claviger
      .logged()
      .split("\n")
      .find((text) => text.includes(`"request_id":"${requestId}"`) && text.includes('"msg":"request"'));
    if (line !== undefined) return JSON.parse(line);
    await nextTurn();
  }
}

function overSocket(socketPath: string, headers: string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ socketPath, path: "/api/v1/keys", headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
