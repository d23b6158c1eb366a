import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeClock } from "../fake-clock.ts";
import { type Bench, chat, MODEL, readAll, startBench } from "../gateway/bench.ts";
import { seededRandom } from "../seeded-random.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { type HeldConnection, type HeldConnections, holdConnections } from "./held-connections.ts";

const bearing = (key: string) => ({ authorization: `Bearer ${key}` });
const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status);

/** In one server each, one after the other; what locks it is last. */
describe.each([1, 2, 4])("with %i threads", (workers) => {
  let bench: Bench;
  let held: HeldConnections;
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const all = (one: unknown) => Array.from({ length: workers }, () => one);
  /** The same question to every thread, at once. */
  const askAll = <Result>(ask: (connection: HeldConnection) => Promise<Result>) =>
    Promise.all(held.byThread.map(ask));
  const askedWith = (key: string, body: object = chat()) =>
    askAll((connection) =>
      connection.ask({ method: "POST", path: "/v1/chat/completions", headers: bearing(key), body }),
    );
  const api = (method: string, path: string, body?: object) =>
    bench.claviger.control({ method, path: `/api/v1/${path}`, body });
  let release = Promise.withResolvers<void>();
  /** A stream in every thread, its first bytes sent, over connections of its own. */
  const openStreams = async (key: string): Promise<IncomingMessage[]> => {
    const { byThread } = stack.use(await holdConnections(bench.claviger, workers));
    const before = bench.upstream.requests.length;
    bench.upstream.behave({ kind: "stall", after: 200, until: release.promise });
    const asked = { method: "POST", path: "/v1/chat/completions", headers: bearing(key) };
    const body = chat({ stream: true });
    const heads = await Promise.all(byThread.map((connection) => connection.open({ ...asked, body })));
    expect(heads.map(({ statusCode }) => statusCode)).toEqual(all(200));
    await bench.upstream.arrived(before + workers - 1);
    bench.upstream.behave({ kind: "ok" });
    return heads;
  };

  beforeAll(async () => {
    bench = stack.use(await startBench({ workers, clock }));
    held = stack.use(await holdConnections(bench.claviger, workers));
    stack.defer(() => release.resolve());
  });
  afterAll(() => stack.disposeAsync());

  test("[I11] a key works in every thread after its 201, and after the 204 of its revocation in none", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, key } = await bench.claviger.issueKey(`short-lived-${round}`);
      expect(statuses(await askedWith(key))).toEqual(all(200));
      expect((await api("DELETE", `keys/${id}`)).status).toBe(204);
      expect(statuses(await askedWith(key))).toEqual(all(401));
      // An address may present so many wrong credentials in a while.
      clock.advance(60_000);
    }
  });

  test("[I11] a revocation ends the key's streams in every thread within a second, and no other's", async () => {
    const { id, key } = await bench.claviger.issueKey("revoked");
    const streams = await openStreams(key);
    const others = await openStreams(bench.key);
    const texts = Promise.all(streams.map(readAll));
    const begun = performance.now();
    expect((await api("DELETE", `keys/${id}`)).status).toBe(204);
    for (const text of await texts)
      expect(text).toMatch(/data: \{"error":[^\n]*"code":"invalid_token"\}\}\n\n$/);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(others.map(({ complete, destroyed }) => complete || destroyed)).toEqual(all(false));
    release.resolve();
    for (const text of await Promise.all(others.map(readAll))) expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test("a provider that is added, changed or removed is so in every thread once the API has answered", async () => {
    await using second = await startUpstream({ listsApart: true });
    const [first, changed] = [secret(1), secret(2)];
    await bench.claviger.addProvider("other", bench.upstream.baseUrl, first);
    const asked = { ...chat(), model: MODEL.replace("sim/", "other/") };
    const before = bench.upstream.requests.length;
    expect(statuses(await askedWith(bench.key, asked))).toEqual(all(200));
    expect(credentialsOf(bench.upstream, before)).toEqual(all(first));
    const credentials = [{ type: "api_key", value: changed }];
    const moved = await api("PATCH", "providers/other", { base_url: second.baseUrl, credentials });
    expect(moved.status).toBe(200);
    expect(statuses(await askedWith(bench.key, asked))).toEqual(all(200));
    expect(credentialsOf(second, 0)).toEqual(all(changed));
    const options = { extra_headers: { "x-project": "seven" } };
    expect((await api("PATCH", "providers/other", { options })).status).toBe(200);
    await askedWith(bench.key, asked);
    const added = second.requests.slice(workers).map(({ rawHeaders }) => rawHeaders.includes("seven"));
    expect(added).toEqual(all(true));
    expect((await api("DELETE", "providers/other")).status).toBe(204);
    expect(statuses(await askedWith(bench.key, asked))).toEqual(all(404));
    expect(second.requests).toHaveLength(2 * workers);
  });

  test("[G2] a credential that one thread saw refused is passed over by every thread until it has cooled down", async () => {
    await using upstream = await startUpstream({ listsApart: true });
    const pool = [secret(3), secret(4)];
    const body = {
      name: "pool",
      kind: "openai-compatible",
      base_url: upstream.baseUrl,
      credentials: pool.map((value) => ({ type: "api_key", value })),
    };
    expect((await api("POST", "providers", body)).status).toBe(201);
    const asked = { ...chat(), model: MODEL.replace("sim/", "pool/") };
    // Opened in every thread, so that each has the first one in hand.
    await askedWith(bench.key, asked);
    for (const [thread, connection] of held.byThread.entries()) {
      const from = upstream.requests.length;
      upstream.behave({ kind: "error", status: 429, headers: { "retry-after": "20" } });
      const path = "/v1/chat/completions";
      await connection.ask({ method: "POST", path, headers: bearing(bench.key), body: asked });
      upstream.behave({ kind: "ok" });
      // The word goes from thread to thread by the main one: an answer of the main thread comes after it.
      await api("GET", "requests");
      await askedWith(bench.key, asked);
      expect([thread, credentialsOf(upstream, from)]).toEqual([thread, [pool[0], ...all(pool[1])]]);
      clock.advance(20_000);
      await askedWith(bench.key, asked);
      expect(credentialsOf(upstream, from + 1 + workers)).toEqual(all(pool[0]));
    }
  });

  test("[S4] [S9] a lock ends the streams of every thread with an error event, and each refuses the next request", async () => {
    release = Promise.withResolvers();
    const streams = await openStreams(bench.key);
    const before = bench.upstream.requests.length;
    const texts = Promise.all(streams.map(readAll));
    void bench.claviger.app.seal.close();
    // The models need no credential: what refuses them is the lock alone.
    const path = "/v1/models";
    expect(statuses(await askAll((one) => one.ask({ path, headers: bearing(bench.key) })))).toEqual(all(503));
    const refused = await askedWith(bench.key);
    expect(statuses(refused)).toEqual(all(503));
    for (const { headers, text } of refused) {
      expect(headers).toMatchObject({ "x-claviger-locked": "true", "x-should-retry": "false" });
      expect(text).toContain('"server_locked"');
    }
    for (const text of await texts)
      expect(text).toMatch(/data: \{"error":[^\n]*"code":"server_locked"\}\}\n\n$/);
    expect(bench.upstream.requests).toHaveLength(before);
  });
});

function secret(seed: number): string {
  return `upstream-${seededRandom(seed).bytes(12).toString("hex")}`;
}

/** What the upstream was shown, from its request of this index on. */
function credentialsOf(upstream: Upstream, from: number): (string | undefined)[] {
  return upstream.requests
    .slice(from)
    .map(({ rawHeaders }) => rawHeaders.find((text) => text.startsWith("Bearer "))?.slice("Bearer ".length));
}
