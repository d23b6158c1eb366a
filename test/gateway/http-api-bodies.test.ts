import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaw, rawRequest, sendRaw, statusOf } from "#test/gates/raw.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { until } from "./bench.ts";
import { type ApiBench, answerOk, ask, open, startApiBench, whole } from "./http-api-bench.ts";

const MIB = 1024 * 1024;
const LARGE = 200 * MIB;
const BYTES = seededRandom(1).bytes(3 * MIB);

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench({ server: { yaml: `settings:\n  gateway_body_limit_bytes: ${LARGE}\n` } });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Sends `bytes` in chunks as fast as they are taken. */
async function flood(
  to: NodeJS.WritableStream,
  bytes: number,
  sent: (bytes: number) => void = () => undefined,
) {
  const chunk = Buffer.alloc(64 * 1024, "x");
  for (let left = bytes; left > 0; left -= chunk.length) {
    const goesOn = to.write(chunk, (error) => (error ? undefined : sent(chunk.length)));
    if (!goesOn) await once(to, "drain");
  }
}

async function countBytes(from: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of from) bytes += chunk.length;
  return bytes;
}

/** The most memory in buffers that are in use while `work` is done, in bytes above what there was. */
async function mostBuffers(work: () => Promise<void>): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collectGarbage: unknown = runInNewContext("gc");
  if (typeof collectGarbage !== "function") throw new Error("garbage cannot be collected");
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const timer = setInterval(() => {
    collectGarbage();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }, 50);
  await work();
  clearInterval(timer);
  return most;
}

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

  test("[G11] an upload is held back while the upstream does not read, and arrives whole when it does", async () => {
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
    const most = await mostBuffers(async () => {
      const uploading = flood(outgoing, LARGE).then(() => outgoing.end());
      down = await countBytes(await head);
      await uploading;
    });
    expect([bytes, down]).toEqual([LARGE, LARGE]);
    expect(most).toBeGreaterThan(0);
    // What garbage is given back late counts too; what passed is more than three times as much.
    expect(most).toBeLessThan(128 * MIB);
  });

  test("[G11] an upstream that answers before it has read the body is heard, and the connection is of use after", async () => {
    bench.api.handle((response) => {
      response.writeHead(409);
      response.end("enough");
    });
    await using connection = openRaw(bench.claviger.url);
    const lines = `Host: localhost\r\nAuthorization: Bearer ${bench.key}\r\n`;
    connection.socket.write(`PUT /x/things/up HTTP/1.1\r\n${lines}Content-Length: ${4 * MIB}\r\n\r\n`);
    connection.socket.write(Buffer.alloc(MIB));
    expect(await connection.until(/enough/)).toMatch(/^HTTP\/1\.1 409 /);
    bench.api.handle((response) => void response.end("next"));
    connection.socket.write(Buffer.alloc(3 * MIB));
    connection.socket.write(`GET /x/things/a HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
    expect(await connection.untilClosed()).toMatch(/enough.*HTTP\/1\.1 200 .*next/s);
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

describe("the answer's body", () => {
  const answered = async (
    handler: (response: ServerResponse) => void,
    more: Parameters<typeof ask>[2] = {},
  ) => {
    bench.api.handle((response) => handler(response));
    return ask(bench, "/x/things/down", more);
  };

  test("[G11] any type passes byte for byte: HTML, images, events, an unknown one, none", async () => {
    for (const type of ["text/html", "image/png", "text/event-stream", "application/x-unheard-of"]) {
      const answer = await answered((response) => {
        response.writeHead(200, { "content-type": type });
        response.end(BYTES);
      });
      expect([answer.status, answer.headers["content-type"], answer.body.equals(BYTES)]).toEqual([
        200,
        type,
        true,
      ]);
    }
    const untyped = await answered((response) => response.end(BYTES));
    expect([untyped.headers["content-type"], untyped.body.equals(BYTES)]).toEqual([undefined, true]);
  });

  test("[G11] an upstream's compressed body stays compressed, though none is asked for", async () => {
    const packed = gzipSync(BYTES);
    const answer = await answered(
      (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(packed),
      { headers: { "accept-encoding": "gzip, br" } },
    );
    expect([answer.headers["content-encoding"], answer.body.equals(packed)]).toEqual(["gzip", true]);
    expect(bench.api.arrivals.at(-1)?.header("accept-encoding")).toBe("identity");
  });

  test("[G11] what has come reaches the client while the rest is still to come: head alone, then piece by piece", async () => {
    const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    bench.api.handle(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      await steps[0]?.promise;
      response.write("data: {half");
      await steps[1]?.promise;
      response.end("}");
    });
    const { outgoing, head } = open(bench, "/x/things/down");
    outgoing.end();
    const answer = await head;
    expect(answer.statusCode).toBe(200);
    steps[0]?.resolve();
    const [first] = await once(answer, "data");
    expect(String(first)).toBe("data: {half");
    steps[1]?.resolve();
    expect((await whole(answer)).body.toString()).toBe("}");
  });

  test("[G11] ranges, conditions and HEAD are the upstream's to answer", async () => {
    const ranged = await answered(
      (response) =>
        response.writeHead(206, { "content-range": "bytes 1-3/9", "content-length": "3" }).end("123"),
      { headers: { range: "bytes=1-3", "if-range": '"a"' } },
    );
    expect([ranged.status, ranged.headers["content-range"], ranged.body.toString()]).toEqual([
      206,
      "bytes 1-3/9",
      "123",
    ]);
    expect(bench.api.arrivals.at(-1)?.header("range")).toBe("bytes=1-3");
    expect(bench.api.arrivals.at(-1)?.header("if-range")).toBe('"a"');

    const unchanged = await answered((response) => response.writeHead(304, { etag: '"a"' }).end(), {
      headers: { "if-none-match": '"a"' },
    });
    expect([unchanged.status, unchanged.headers.etag, unchanged.body.length]).toEqual([304, '"a"', 0]);

    const head = await answered((response) => response.writeHead(200, { "content-length": "12345" }).end(), {
      method: "HEAD",
    });
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "12345", 0]);

    const empty = await answered((response) => response.writeHead(204).end(), { method: "DELETE" });
    expect([empty.status, empty.body.length, empty.headers["content-length"]]).toEqual([204, 0, undefined]);
  });

  test("[G11] a cut answer is cut for the client too, with a declared length and without", async () => {
    for (const headers of [{ "content-length": "1000" }, {}] as Record<string, string>[]) {
      const answer = await answered((response) => {
        response.writeHead(200, headers);
        response.write("half", () => response.destroy());
      });
      expect([answer.status, answer.complete, answer.body.toString()]).toEqual([200, false, "half"]);
    }
  });

  test("[G11] a client that does not read holds the upstream back, and reads everything once it does", async () => {
    let sent = 0;
    bench.api.handle(async (response) => {
      response.writeHead(200);
      await flood(response, 64 * MIB, (bytes) => {
        sent += bytes;
      });
      response.end();
    });
    const { outgoing, head } = open(bench, "/x/things/down");
    outgoing.end();
    const answer = await head;
    await stalls(() => sent);
    expect(sent).toBeLessThan(32 * MIB);
    expect(await countBytes(answer)).toBe(64 * MIB);
  });

  test("[G11] HTTP/1.0 on either side, and an upstream's trailers", async () => {
    bench.api.handle((response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("he");
      response.addTrailers({ "x-sum": "5" });
      response.end("llo");
    });
    const text = await sendRaw(
      bench.claviger.url,
      `GET /x/things/down HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer ${bench.key}\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\n\r\nhello$/);
    expect(text).not.toMatch(/transfer-encoding|trailer|x-sum/i);
    bench.api.handle((_response, { message }) => {
      message.socket.end("HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nold");
    });
    expect((await ask(bench, "/x/things/down")).body.toString()).toBe("old");
  });
});

/** Settles when a count that grew has not grown for many turns of the loop. */
async function stalls(count: () => number): Promise<void> {
  let seen = -1;
  let turns = 0;
  await until(() => {
    turns = count() === seen ? turns + 1 : 0;
    seen = count();
    return seen > 0 && turns > 3000;
  });
}
