import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw } from "#test/gates/raw.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { countBytes, flood, stalls } from "./flood.ts";
import { type ApiBench, ask, open, startApiBench, whole } from "./http-api-bench.ts";

const MIB = 1024 * 1024;
const BYTES = seededRandom(1).bytes(3 * MIB);

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

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

  test("[G11] a client that does not read holds the upstream back, and reads everything once it does", {
    timeout: 30_000,
  }, async () => {
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
