import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaw, rawRequest, sendRaw, statusOf } from "#test/gates/raw.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { countBytes, flood, mostBuffers, stalls } from "../gateway/flood.ts";
import { type ApiBench, answerOk, ask, open, startApiBench, whole } from "../gateway/http-api-bench.ts";

const MIB = 1024 * 1024;
const LARGE = 200 * MIB;
const BYTES = seededRandom(1).bytes(3 * MIB);

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench({ server: { yaml: `settings:\n  gateway_body_limit_bytes: ${LARGE}\n` } });
});
afterAll(() => bench[Symbol.asyncDispose]());

describe("the request's body", () => {
  const received = async (path: string, more: Parameters<typeof ask>[2]) => {
    let body = Buffer.alloc(0);
    bench.api.handle(async (response, { message }) => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(Buffer.from(chunk));
      body = Buffer.concat(chunks);
      response.end("ok");
    });
    expect((await ask(bench, path, more)).status).toBe(200);
    const arrived = bench.api.arrivals.at(-1);
    if (arrived === undefined) throw new Error("nothing has arrived");
    return { body, header: arrived.header };
  };

  test("[G11] [A10] any type passes as it is: its bytes, type, length and coding", async () => {
    for (const headers of [
      { "content-type": "application/x-unheard-of; a=b" },
      { "content-type": "text/plain", "content-encoding": "zstd" },
      { "content-type": "application/json" },
      {},
    ] as Record<string, string>[]) {
      const got = await received("/x/things/up", { method: "PUT", headers, body: BYTES });
      expect(got.body.equals(BYTES)).toBe(true);
      expect(got.header("content-type")).toBe(headers["content-type"]);
      expect(got.header("content-encoding")).toBe(headers["content-encoding"]);
      expect(got.header("content-length")).toBe(String(BYTES.length));
      expect(got.header("transfer-encoding")).toBeUndefined();
    }
  });

  test("[A8] JSON of any depth passes, and what is no JSON at all", async () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    for (const body of [deep, "{", ""]) {
      const got = await received("/x/things/up", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect(got.body.toString()).toBe(body);
    }
  });

  test("[G11] a body of unknown length, one of a method that has none, and none at all", async () => {
    const { outgoing, head } = open(bench, "/x/things/up", {
      method: "POST",
      headers: { "transfer-encoding": "chunked", te: "trailers", trailer: "x-sum" },
    });
    outgoing.write("one");
    outgoing.write("two");
    outgoing.addTrailers({ "x-sum": "6" });
    outgoing.end();
    expect((await whole(await head)).status).toBe(200);
    expect(bench.api.arrivals.at(-1)?.header("transfer-encoding")).toBe("chunked");
    expect(bench.api.arrivals.at(-1)?.message.trailers).toEqual({});
    expect(
      (
        await received("/x/things/up", { method: "DELETE", headers: { "content-length": "4" }, body: "gone" })
      ).body.toString(),
    ).toBe("gone");
    expect(
      (
        await received("/x/things/up", { method: "GET", headers: { "content-length": "5" }, body: "asked" })
      ).body.toString(),
    ).toBe("asked");
    const none = await received("/x/things/up", { method: "POST", headers: { "content-length": "0" } });
    expect([none.header("content-length"), none.body.length]).toEqual(["0", 0]);
  });

  test("[A8] a declared length over the limit is 413 at once, and nothing goes out", async () => {
    const before = bench.api.arrivals.length;
    const head = rawRequest("PUT /x/things/up HTTP/1.1", [
      `Authorization: Bearer ${bench.key}`,
      `Content-Length: ${LARGE + 1}`,
      "Expect: 100-continue",
    ]);
    const text = await sendRaw(bench.claviger.url, head);
    expect(statusOf(text)).toBe(413);
    expect(text).toContain('"code":"body_too_large"');
    expect(text).not.toContain("100 Continue");
    expect(bench.api.arrivals).toHaveLength(before);
  });

  test("[A8] a body of undeclared length is cut at the limit with 413, and the upstream sees no end of it", async () => {
    await using small = await startApiBench({
      server: { yaml: `settings:\n  gateway_body_limit_bytes: ${MIB}\n` },
    });
    const ended = Promise.withResolvers<string>();
    small.api.handle(async (_response, { message }) => {
      await countBytes(message).then(
        () => ended.resolve("whole"),
        () => ended.resolve("cut"),
      );
    });
    const { outgoing, head } = open(small, "/x/things/up", {
      method: "PUT",
      headers: { "transfer-encoding": "chunked" },
    });
    outgoing.on("error", () => undefined);
    outgoing.write(BYTES.subarray(0, MIB + 1));
    const answer = await whole(await head);
    expect([answer.status, JSON.parse(answer.body.toString()).error.code]).toEqual([413, "body_too_large"]);
    expect(await ended.promise).toBe("cut");
    outgoing.destroy();
    small.api.handle(answerOk);
    expect((await ask(small, "/x/things/up", { method: "PUT", body: BYTES.subarray(0, MIB) })).status).toBe(
      200,
    );
  });

  test("[A8] strangers are refused before a byte of the body is read", async () => {
    const text = await sendRaw(
      bench.claviger.url,
      rawRequest("PUT /x/things/up HTTP/1.1", [
        "Authorization: Bearer no",
        "Content-Length: 9",
        "Expect: 100-continue",
      ]),
    );
    expect(statusOf(text)).toBe(401);
    expect(text).not.toContain("100 Continue");
  });

  test("[G11] who waits for 100 Continue is told to go on once the upstream takes the body", async () => {
    bench.api.handle(answerOk);
    await using connection = openRaw(bench.claviger.url);
    connection.socket.write(
      rawRequest("PUT /x/things/up HTTP/1.1", [
        `Authorization: Bearer ${bench.key}`,
        "Content-Length: 4",
        "Expect: 100-continue",
      ]),
    );
    await connection.until(/100 Continue\r\n\r\n/);
    connection.socket.write("body");
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 200 [\s\S]*ok/);
    expect(bench.api.arrivals.at(-1)?.header("expect")).toBeUndefined();
  });

  test("[G11] an upload is held back while the upstream does not read, and arrives whole when it does", {
    timeout: 30_000,
  }, async () => {
    const read = Promise.withResolvers<void>();
    let bytes = 0;
    bench.api.handle(async (response, { message }) => {
      await read.promise;
      bytes = await countBytes(message);
      response.end("ok");
    });
    const { outgoing, head } = open(bench, "/x/things/up", {
      method: "PUT",
      headers: { "content-length": String(64 * MIB) },
    });
    let sent = 0;
    const flooded = flood(outgoing, 64 * MIB, (more) => {
      sent += more;
    });
    await bench.api.arrived(bench.api.arrivals.length);
    await stalls(() => sent);
    expect(sent).toBeLessThan(32 * MIB);
    read.resolve();
    await flooded;
    outgoing.end();
    expect((await whole(await head)).status).toBe(200);
    expect(bytes).toBe(64 * MIB);
  });

  test("[G11] 200 MB up and 200 MB down, at once, in bounded memory", { timeout: 60_000 }, async () => {
    let bytes = 0;
    bench.api.handle(async (response, { message }) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      const counting = countBytes(message);
      await flood(response, LARGE);
      bytes = await counting;
      response.end();
    });
    const { outgoing, head } = open(bench, "/x/things/both", {
      method: "POST",
      headers: { "content-length": String(LARGE) },
    });
    let down = 0;
    const { most, looks } = await mostBuffers(async () => {
      const uploading = flood(outgoing, LARGE).then(() => outgoing.end());
      down = await countBytes(await head);
      await uploading;
    });
    expect([bytes, down]).toEqual([LARGE, LARGE]);
    expect(looks).toBeGreaterThan(3);
    // What garbage is given back late counts too; what passed is more than three times as much.
    expect(most).toBeLessThan(128 * MIB);
  });

  test("[G11] an upstream that answers before it has read the body is heard, and the connection is of use after", {
    timeout: 30_000,
  }, async () => {
    const answering = Promise.withResolvers<void>();
    bench.api.handle(async (response) => {
      await answering.promise;
      response.writeHead(409).end("enough");
    });
    await using connection = openRaw(bench.claviger.url);
    const { socket } = connection;
    const lines = `Host: localhost\r\nAuthorization: Bearer ${bench.key}\r\n`;
    socket.write(`PUT /x/things/up HTTP/1.1\r\n${lines}Content-Length: ${32 * MIB}\r\n\r\n`);
    let sent = 0;
    const flooded = flood(socket, 32 * MIB, (more) => {
      sent += more;
    });
    await stalls(() => sent);
    answering.resolve();
    expect(await connection.until(/enough/)).toMatch(/^HTTP\/1\.1 409 /);
    bench.api.handle((response) => void response.end("next"));
    await flooded;
    socket.write(`GET /x/things/a HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
    expect(await connection.untilClosed()).toMatch(/enough.*HTTP\/1\.1 200 .*next/s);
  });

  test("[G11] a transfer coding beneath the chunks is refused: its body would arrive without a word of it", async () => {
    const before = bench.api.arrivals.length;
    const text = await sendRaw(
      bench.claviger.url,
      rawRequest("PUT /x/things/up HTTP/1.1", [
        `Authorization: Bearer ${bench.key}`,
        "Transfer-Encoding: gzip, chunked",
      ]),
      "0\r\n\r\n",
    );
    expect(statusOf(text)).toBe(400);
    expect(bench.api.arrivals).toHaveLength(before);
  });

  test("an upstream that breaks off in the middle of an upload is a 502 that says so", async () => {
    bench.api.handle((_response, { message }) => {
      message.once("data", () => message.socket.destroy());
    });
    const answer = await ask(bench, "/x/things/up", { method: "PUT", body: BYTES });
    expect([answer.status, JSON.parse(answer.body.toString()).error.code]).toEqual([502, "upstream_failed"]);
    const before = bench.api.arrivals.length;
    bench.api.handle(answerOk);
    expect((await ask(bench, "/x/things/a")).status).toBe(200);
    // Sent once, never again.
    expect(bench.api.arrivals).toHaveLength(before + 1);
  });
});
