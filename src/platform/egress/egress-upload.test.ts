import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { type Handler, startApi } from "#test/gateway/http-api-bench.ts";
import { createEgressClient, type EgressRequest } from "./egress-client.ts";

const LIMIT = 1024 * 1024;
const put = (baseUrl: string, body: Readable, headers: readonly string[] = []): EgressRequest => ({
  url: new URL(`${baseUrl}/up`),
  method: "PUT",
  headers,
  body,
});
const chunks = (count: number) => Readable.from(Array.from({ length: count }, () => Buffer.alloc(1000, "x")));

const bodies: Buffer[] = [];
const keep: Handler = async (response, { message }) => {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(Buffer.from(part));
  bodies.push(Buffer.concat(parts));
  response.end("ok");
};

test("[G11] a stream goes out whole, in chunks or with the length that was declared, and a target as it is spelled", async () => {
  await using upstream = await startApi();
  await using client = createEgressClient();
  upstream.handle(keep);
  const target = '/v1/%2e/"<a>|b?c=+%20';
  await client.collect({ ...put(upstream.baseUrl, chunks(500)), target }, LIMIT);
  await client.collect(put(upstream.baseUrl, chunks(3), ["content-length", "3000"]), LIMIT);
  expect(bodies.map(({ length }) => length)).toEqual([500_000, 3000]);
  const [chunked, declared] = upstream.arrivals;
  expect(chunked?.target).toBe(target);
  expect(chunked?.header("transfer-encoding")).toBe("chunked");
  expect(declared?.header("content-length")).toBe("3000");
});

test("[G11] a stream that breaks, is too short or too long ends the request, and is destroyed", async () => {
  await using upstream = await startApi();
  await using client = createEgressClient();
  let whole = 0;
  upstream.handle(async (_response, { message }) => {
    for await (const _part of message);
    whole += 1;
  });
  const broken = new Readable({ read() {} });
  broken.push("some");
  setImmediate(() => broken.destroy(new Error("broken")));
  await expect(client.collect(put(upstream.baseUrl, broken), LIMIT)).rejects.toMatchObject({
    code: "upstream_failed",
  });
  for (const length of ["2999", "3001"]) {
    const body = chunks(3);
    const asked = client.collect(put(upstream.baseUrl, body, ["content-length", length]), LIMIT);
    await expect(asked, length).rejects.toMatchObject({ code: "upstream_failed" });
    expect(body.destroyed).toBe(true);
  }
  expect(whole).toBe(0);
});

test("[G11] an aborted upload closes its connection and its stream", async () => {
  await using upstream = await startApi();
  await using client = createEgressClient();
  const body = new Readable({ read() {} });
  body.push("some");
  const heard: string[] = [];
  const under = client.request(put(upstream.baseUrl, body), {
    onHeaders: () => heard.push("head"),
    onData: () => heard.push("data"),
    onEnd: () => heard.push("end"),
    onError: () => heard.push("error"),
  });
  const closed = new Promise((resolve) => body.once("close", resolve));
  await new Promise((resolve) => body.once("resume", resolve));
  under.abort();
  await closed;
  expect(heard).toEqual([]);
});

test("[E2] a 304 passes when it was asked for, and is refused like any redirect when not", async () => {
  await using upstream = await startApi();
  await using client = createEgressClient();
  upstream.handle((response) => void response.writeHead(304, { etag: '"a"' }).end());
  const get = { url: new URL(`${upstream.baseUrl}/a`), method: "GET" };
  for (const headers of [
    ["If-None-Match", '"a"'],
    ["if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"],
  ])
    expect((await client.collect({ ...get, headers }, LIMIT)).status).toBe(304);
  await expect(client.collect({ ...get, headers: ["x-a", "if-none-match"] }, LIMIT)).rejects.toMatchObject({
    code: "upstream_failed",
  });
});
