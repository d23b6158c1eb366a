import { expect, test } from "vitest";
import { startConnectProxy } from "#test/connect-proxy.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";
import { createEgressClient, type EgressClient } from "./egress-client.ts";

const LIMIT = 1024 * 1024;
const portOf = (upstream: Upstream) => Number(new URL(upstream.baseUrl).port);
const get = (client: EgressClient, url: string, proxy: string, connectTimeoutMs = 10_000) =>
  client.collect(
    {
      url: new URL(url),
      method: "GET",
      headers: [],
      upstream: { proxy: new URL(proxy), connectTimeoutMs },
    },
    LIMIT,
  );
const nobody = () => Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));

test("[G12] through a proxy a name only the proxy knows is reached; the proxy hears the authority and nothing else", async () => {
  await using upstream = await startUpstream();
  await using proxy = await startConnectProxy();
  await using client = createEgressClient({ lookup: nobody });
  const authority = `inside.test:${portOf(upstream)}`;
  const answer = await get(client, `http://${authority}/v1/models`, proxy.url);
  expect(answer.status).toBe(200);
  expect(proxy.heads).toEqual([`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`]);
  expect(upstream.requests[0]?.rawHeaders).toContain(authority);
});

test("[G12] with and without a proxy, one origin has two pools", async () => {
  await using upstream = await startUpstream();
  await using proxy = await startConnectProxy();
  await using client = createEgressClient();
  const url = new URL(`${upstream.baseUrl}/models`);
  await client.collect({ url, method: "GET", headers: [] }, LIMIT);
  expect(proxy.heads).toHaveLength(0);
  await get(client, url.href, proxy.url);
  expect(proxy.heads).toHaveLength(1);
  await client.collect({ url, method: "GET", headers: [] }, LIMIT);
  expect(proxy.heads).toHaveLength(1);
});

test("[E1] [G12] neither a denied proxy nor, through an allowed one, a denied upstream is reached", async () => {
  await using proxy = await startConnectProxy();
  const lookup = async (name: string) => (name === "metadata.test" ? ["169.254.169.254"] : ["127.0.0.1"]);
  await using client = createEgressClient({
    lookup,
    ownListeners: () => [{ address: "127.0.0.1", port: 1 }],
  });
  const denied = { code: "egress_denied", status: 502 };
  await expect(get(client, "http://127.0.0.1:9/", "http://169.254.169.254:80")).rejects.toMatchObject(denied);
  await expect(get(client, "http://127.0.0.1:9/", "http://127.0.0.1:1")).rejects.toMatchObject(denied);
  for (const host of ["169.254.169.254", "metadata.test", "127.0.0.1:1"])
    await expect(get(client, `http://${host}/`, proxy.url), host).rejects.toMatchObject(denied);
  expect(proxy.heads).toHaveLength(0);
});

test.each([
  ["a refusal", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false],
  ["no HTTP", "SSH-2.0-x\r\n\r\n", false],
  ["the end", "HTTP/1.1 200 OK\r\n", true],
  ["a head without end", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(4000)}`, false],
  ["bytes of its own", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", false],
])("[G12] a proxy that answers with %s opens no way", async (_what, text, close) => {
  await using proxy = await startConnectProxy();
  await using client = createEgressClient({ lookup: nobody });
  proxy.answer(text, close);
  await expect(get(client, "http://inside.test:80/", proxy.url)).rejects.toMatchObject({
    code: "upstream_unreachable",
    message: "The proxy did not open a way to the upstream.",
  });
});

test("[G12] a proxy that says nothing is given up after the connect timeout", async () => {
  await using proxy = await startConnectProxy();
  await using client = createEgressClient({ lookup: nobody });
  proxy.answer("HTTP/1.1 ");
  await expect(get(client, "http://inside.test:80/", proxy.url, 60)).rejects.toMatchObject({
    code: "upstream_unreachable",
    message: expect.stringContaining("in time"),
  });
});
