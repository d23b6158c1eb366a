import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { openRaw, rawRequest, sendRaw, statusOf } from "../gates/raw.ts";

const MIB = 1024 * 1024;

let claviger: TestClaviger;
let admin: string;
beforeAll(async () => {
  claviger = await startClaviger({
    env: { REQUIRE_API_KEY: "true" },
    yaml: "settings:\n  gateway_body_limit_bytes: 4194304\n",
  });
  admin = (await claviger.issueKey("admin", ["superadmin"])).key;
});
afterAll(() => claviger[Symbol.asyncDispose]());

const auth = () => `Authorization: Bearer ${admin}`;
const post = (path: string, lines: readonly string[], body = "") =>
  rawRequest(`POST ${path} HTTP/1.1`, [auth(), ...lines], body);
const json = (body: string | Buffer, ...lines: string[]) =>
  post("/api/v1/keys", ["Content-Type: application/json", `Content-Length: ${body.length}`, ...lines]);
const postJson = (body: string | Buffer) => sendRaw(claviger.url, json(body), body);

describe("sizes", () => {
  test("[A8] headers over 16 KiB are 431, and the connection is closed", async () => {
    for (const lines of [
      [`X-A: ${"a".repeat(16_500)}`],
      Array.from({ length: 3000 }, (_, n) => `X-${n}: 1`),
    ]) {
      const text = await sendRaw(claviger.url, rawRequest("GET /health HTTP/1.1", lines));
      expect(statusOf(text)).toBe(431);
      expect(text).toContain('"header_too_large"');
    }
    const fits = rawRequest("GET /health HTTP/1.1", [`X-A: ${"a".repeat(15_000)}`]);
    expect(statusOf(await sendRaw(claviger.url, fits))).toBe(200);
  });

  test.each([
    ["/api/v1/keys", MIB + 1],
    ["/v1/chat/completions", 4 * MIB + 1],
  ])("[A8] a declared length over the limit of %s is 413 at once", async (path, length) => {
    const lines = ["Content-Type: application/json", `Content-Length: ${length}`, "Expect: 100-continue"];
    const text = await sendRaw(claviger.url, post(path, lines));
    expect(statusOf(text)).toBe(413);
    expect(text).not.toContain("100 Continue");
  });

  test.each([
    ["/api/v1/keys", MIB + 1],
    ["/v1/chat/completions", 4 * MIB + 1],
  ])("[A8] a body of undeclared length is 413 once it exceeds the limit of %s", async (path, length) => {
    const lines = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
    const chunk = `${length.toString(16)}\r\n${" ".repeat(length)}\r\n`;
    expect(statusOf(await sendRaw(claviger.url, post(path, lines), chunk))).toBe(413);
  });

  test("[A8] the gateway takes 32 MiB unless configured, and not a byte more", async () => {
    await using plain = await startClaviger();
    const declare = (bytes: number) =>
      rawRequest("POST /v1/chat/completions HTTP/1.1", [
        "Content-Type: application/json",
        `Content-Length: ${bytes}`,
        "Expect: 100-continue",
      ]);
    expect(statusOf(await sendRaw(plain.url, declare(32 * MIB + 1)))).toBe(413);
    await using connection = openRaw(plain.url);
    connection.socket.write(declare(32 * MIB));
    await connection.until(/^HTTP\/1\.1 100 Continue/);
  });

  test("[A8] a body of exactly 1 MiB is read", async () => {
    const body = `{"name":"${"n".repeat(MIB - 11)}"}`;
    expect(body).toHaveLength(MIB);
    expect(statusOf(await postJson(body))).toBe(400);
  });

  test("[A8] strangers are refused before the body is read, and are not asked for it", async () => {
    for (const path of ["/api/v1/keys", "/v1/chat/completions", "/api/v1/nothing", "/v1beta/nothing"]) {
      const lines = ["Content-Type: application/json", "Content-Length: 1000", "Expect: 100-continue"];
      const text = await sendRaw(claviger.url, rawRequest(`POST ${path} HTTP/1.1`, lines));
      expect(statusOf(text), path).toBe(401);
      // Also one who sends the head alone and never the body is answered.
      const waiting = rawRequest(`POST ${path} HTTP/1.1`, lines.slice(0, 2));
      expect(statusOf(await sendRaw(claviger.url, waiting)), path).toBe(401);
    }
  });

  test("[A8] whoever has a key is asked for the body when he waits for that", async () => {
    const body = '{"name":"asked","permissions":[]}';
    await using connection = openRaw(claviger.url);
    connection.socket.write(json(body, "Expect: 100-continue"));
    await connection.until(/^HTTP\/1\.1 100 Continue/);
    connection.socket.write(body);
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 201 /);
  });
});

describe("bodies", () => {
  const nested = (levels: number) => `{"name":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

  test.each([
    ["64 levels are parsed", nested(64), "body/name"],
    ["65 levels are not", nested(65), "nested deeper than 64"],
    ["100,000 levels are not", nested(100_000), "nested deeper than 64"],
    ["brackets in a string are no levels", `{"name":"${"[".repeat(200)}"}`, "body/name"],
    ["a field twice", '{"name":"a","name":"b","permissions":[]}', "a field twice"],
    ["a field twice, once escaped", '{"name":"a","n\\u0061me":"b","permissions":[]}', "a field twice"],
    ["a field twice, deeper", '{"name":"a","permissions":[],"limits":{"a":{"b":1,"b":2}}}', "a field twice"],
    ["__proto__", '{"__proto__":{"name":"a"},"permissions":[]}', "__proto__"],
    ["__proto__, escaped", '{"\\u005f_proto__":{"name":"a"}}', "__proto__"],
    ["constructor", '{"name":"a","permissions":[],"constructor":{}}', "nrecognized key"],
    ["what is no JSON", '{"name":"a",}', "not valid JSON"],
    ["two values", "{}{}", "not valid JSON"],
    ["a comment", "{}//", "not valid JSON"],
    ["a byte order mark", "\ufeff{}", "not valid"],
    ["nothing", "", "body"],
  ])("[A8] %s", async (_what, body, said) => {
    const text = await postJson(Buffer.from(body));
    expect(statusOf(text)).toBe(400);
    expect(text).toContain(said);
  });

  test("[A8] the gateway parses 64 levels, and no 65", async () => {
    for (const [levels, said] of [
      [64, "needs a model"],
      [65, "deeper than 64"],
    ] as const) {
      const body = nested(levels);
      const lines = ["Content-Type: application/json", `Content-Length: ${body.length}`];
      const text = await sendRaw(claviger.url, post("/v1/chat/completions", lines, body));
      expect(statusOf(text)).toBe(400);
      expect(text).toContain(said);
    }
  });

  test("[A8] bytes that are no UTF-8 are a 400, not another name", async () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xc3]]) {
      const body = Buffer.concat([
        Buffer.from('{"permissions":[],"name":"'),
        Buffer.from(bytes),
        Buffer.from('"}'),
      ]);
      const text = await postJson(body);
      expect(statusOf(text)).toBe(400);
      expect(text).toContain("not valid UTF-8");
    }
  });

  test.each([
    "gzip",
    "deflate",
    "br",
    "zstd",
    "identity, gzip",
    "GZIP",
  ])("[A8] a body in %s is 415", async (coding) => {
    for (const path of ["/api/v1/keys", "/v1/chat/completions"]) {
      const lines = ["Content-Type: application/json", "Content-Length: 2", `Content-Encoding: ${coding}`];
      expect(statusOf(await sendRaw(claviger.url, post(path, lines, "{}"))), path).toBe(415);
    }
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "nonsense",
  ])("[A9] a body of type %s is 415", async (type) => {
    for (const lines of [[`Content-Type: ${type}`, "Content-Length: 2"], ["Content-Length: 2"]])
      expect(statusOf(await sendRaw(claviger.url, post("/api/v1/keys", lines, "{}")))).toBe(415);
  });

  test("[A9] application/json is taken in any case, with parameters", async () => {
    const body = '{"name":"typed","permissions":[]}';
    const lines = ["Content-Type: Application/JSON; charset=utf-8", `Content-Length: ${body.length}`];
    expect(statusOf(await sendRaw(claviger.url, post("/api/v1/keys", lines, body)))).toBe(201);
  });

  test("[A9] a call without a body needs no content type, and none it bears counts", async () => {
    for (const [index, lines] of [
      [],
      ["Content-Type: application/json"],
      ["Content-Type: text/plain", "Content-Length: 0"],
    ].entries()) {
      const { id } = await claviger.issueKey(`to-revoke-${index}`);
      const request = rawRequest(`DELETE /api/v1/keys/${id} HTTP/1.1`, [auth(), ...lines]);
      expect(statusOf(await sendRaw(claviger.url, request))).toBe(204);
    }
  });

  test("[A9] nothing changes state on GET or HEAD", async () => {
    const before = (await claviger.control({ path: "/api/v1/keys" })).json;
    // What happens is told until one leaves.
    for (const method of ["GET", "HEAD"])
      for (const route of claviger.app.routes())
        if (route.contract?.family === "api" && route.path !== "/sse")
          await claviger.control({ method, path: route.path.replace(/:\w+|\{\w+\}/g, "admin") });
    expect((await claviger.control({ path: "/api/v1/keys" })).json).toEqual(before);
  });
});

describe("what no honest client sends", () => {
  test.each([
    ["Host", "localhost"],
    ["Authorization", "Bearer a"],
    ["X-Api-Key", "a"],
    ["Api-Key", "a"],
    ["X-Goog-Api-Key", "a"],
    ["Origin", "null"],
    ["Sec-Fetch-Site", "none"],
  ])("[A8] %s twice is a 400, the same or not", async (name, value) => {
    for (const path of ["/v1/models", "/api/v1/keys", "/health"])
      for (const second of [value, `${value}x`]) {
        const lines = [`${name}: ${value}`, `${name.toLowerCase()}: ${second}`];
        expect(statusOf(await sendRaw(claviger.url, rawRequest(`GET ${path} HTTP/1.1`, lines))), path).toBe(
          400,
        );
      }
  });

  const smuggled = "GET /api/v1/keys HTTP/1.1\r\nHost: localhost\r\n\r\n";
  test.each([
    ["length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["chunks and length", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
    ["two lengths", ["Content-Length: 5", "Content-Length: 6"]],
    ["two equal lengths", ["Content-Length: 0", "Content-Length: 0"]],
    ["a list of lengths", ["Content-Length: 0, 0"]],
    ["a signed length", ["Content-Length: +0"]],
    ["a negative length", ["Content-Length: -1"]],
    ["a hexadecimal length", ["Content-Length: 0x0"]],
    ["an unknown coding", ["Transfer-Encoding: xchunked"]],
    ["a coding after chunked", ["Transfer-Encoding: chunked, identity"]],
    ["a hidden coding", ["Transfer-Encoding : chunked"]],
    ["a folded header", ["Transfer-Encoding:", " chunked"]],
    ["a header without a colon", ["Transfer-Encoding"]],
    ["a NUL in a header", ["X-A: a\0b"]],
  ])("[A8] %s: refused, and what follows is no request", async (_what, lines) => {
    const request = rawRequest("POST /health HTTP/1.1", lines).replace("Connection: close\r\n", "");
    const text = await sendRaw(claviger.url, `${request}0\r\n\r\n${smuggled}`);
    expect(statusOf(text)).toBe(400);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toContain("connection: close");
  });

  test("[A8] requests sent ahead of their answers are answered in order, each on its own merits", async () => {
    const ask = (path: string, ...lines: string[]) =>
      [`GET ${path} HTTP/1.1`, "Host: localhost", ...lines, "", ""].join("\r\n");
    const last = rawRequest("GET /health HTTP/1.1");
    const text = await sendRaw(claviger.url, ask("/api/v1/keys", auth()) + ask("/api/v1/audit") + last);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "200",
      "401",
      "200",
    ]);
  });

  test("[A8] nonsense after a request does not appear in the middle of its answer", async () => {
    await using connection = openRaw(claviger.url);
    connection.socket.write(
      `${rawRequest("GET /health HTTP/1.1").replace("Connection: close\r\n", "")}\0\0\0\r\n\r\n`,
    );
    const text = await connection.untilClosed();
    expect(text.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(2);
    expect(text).not.toMatch(/\{"status":"okHTTP|content-length: \d+\r\nHTTP/);
  });

  test("CONNECT and upgrades open no tunnel", async () => {
    expect(statusOf(await sendRaw(claviger.url, rawRequest("CONNECT evil.example:443 HTTP/1.1")))).toBe(400);
    const lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    expect(statusOf(await sendRaw(claviger.url, rawRequest("GET /v1/models HTTP/1.1", lines)))).toBe(401);
  });
});
