import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeClock } from "../fake-clock.ts";
import { type Bench, chat, MODEL, readAll, startBench } from "../gateway/bench.ts";
import { type HeldConnections, holdConnections } from "../workers/held-connections.ts";
import { bearing, keyCalls } from "./key-calls.ts";

const HOUR_MS = 3_600_000;

describe.each([1, 2])("with %i threads", (workers) => {
  let bench: Bench;
  let held: HeldConnections;
  let keys: ReturnType<typeof keyCalls>;
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock();
  const all = (one: unknown) => Array.from({ length: workers }, () => one);
  const asked = (path: string, key: string, body?: object) => {
    const call = { method: body === undefined ? "GET" : "POST", path, headers: bearing(key) };
    return Promise.all(held.byThread.map((one) => one.ask(body === undefined ? call : { ...call, body })));
  };
  const chatted = async (key: string) =>
    (await asked("/v1/chat/completions", key, chat())).map(({ status }) => status);
  const listed = async (key: string) =>
    (await asked("/v1/models", key)).map(({ status, text }) =>
      status === 200 && text.includes(MODEL) ? "listed" : status,
    );
  const soon = (ms: number) => new Date(clock.now() + ms).toISOString();

  beforeAll(async () => {
    bench = stack.use(await startBench({ workers, clock }));
    held = stack.use(await holdConnections(bench.claviger, workers));
    keys = keyCalls(bench.claviger);
  });
  afterAll(() => stack.disposeAsync());

  test("[H3] [I10] a key for some models: another is 404 in the dialect and not listed, from the next request on", async () => {
    const { id, key } = await keys.created("models", { models: ["sim/*"] });
    expect([await chatted(key), await listed(key)]).toEqual([all(200), all("listed")]);
    for (const models of [["other/*"], ["sim/"], [], [`${MODEL}x`]]) {
      expect((await keys.update(id, { models })).status).toBe(200);
      expect(await chatted(key)).toEqual(all(404));
      expect((await asked("/v1/models", key)).map(({ text }) => JSON.parse(text).data)).toEqual(all([]));
      expect((await keys.update(id, { models: ["no", MODEL] })).status).toBe(200);
      expect([await chatted(key), await listed(key)]).toEqual([all(200), all("listed")]);
    }
    await keys.update(id, { models: ["other/*"] });
    const [refused] = await asked("/v1/chat/completions", key, chat());
    const [unknown] = await asked("/v1/chat/completions", key, chat({ model: "sim9/none" }));
    expect(JSON.parse(refused?.text ?? "")).toMatchObject({ error: { code: "model_not_found" } });
    expect(refused?.text).toBe(unknown?.text);
    expect((await keys.update(id, { models: null })).status).toBe(200);
    expect(await chatted(key)).toEqual(all(200));
  });

  test("[H3] [I10] [A3] a key for some addresses is the plain 401 from another, and the log says why", async () => {
    const { id, key } = await keys.created("addresses", { allowed_ips: ["10.0.0.0/8", "::1"] });
    expect(await chatted(key)).toEqual(all(401));
    const [wrong] = await asked("/v1/models", key);
    const [unknown] = await asked("/v1/models", "nobody");
    expect(wrong?.text).toBe(unknown?.text);
    expect(wrong?.headers["www-authenticate"]).toBe(unknown?.headers["www-authenticate"]);
    await expect.poll(() => bench.claviger.logged()).toMatch(/"reason":"wrong_address"/);
    for (const range of ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:0:0/96"]) {
      expect((await keys.update(id, { allowed_ips: [range] })).status).toBe(200);
      expect(await chatted(key), range).toEqual(all(200));
      // Through the main thread, whichever took the request.
      expect((await asked("/api/v1/keys", key)).map(({ status }) => status)).toEqual(all(403));
    }
    await keys.update(id, { allowed_ips: ["127.0.0.2"] });
    expect((await asked("/api/v1/keys", key)).map(({ status }) => status)).toEqual(all(401));
    await keys.update(id, { allowed_ips: null });
    expect(await chatted(key)).toEqual(all(200));
    clock.advance(60_000);
  });

  test("[H3] [I10] [A3] a key ends to the millisecond, as the plain 401, and can be given more time", async () => {
    const { id, key } = await keys.created("expires", { expires_at: soon(HOUR_MS + 7) });
    clock.advance(HOUR_MS + 6);
    expect(await chatted(key)).toEqual(all(200));
    clock.advance(1);
    expect(await chatted(key)).toEqual(all(401));
    const [expired] = await asked("/v1/models", key);
    const [unknown] = await asked("/v1/models", "nobody");
    expect(expired?.text).toBe(unknown?.text);
    await expect.poll(() => bench.claviger.logged()).toMatch(/"reason":"expired"/);
    expect((await keys.update(id, { expires_at: soon(5) })).status).toBe(200);
    expect(await chatted(key)).toEqual(all(200));
    clock.advance(5);
    expect(await chatted(key)).toEqual(all(401));
    await keys.update(id, { expires_at: null });
    clock.advance(10 * HOUR_MS);
    expect(await chatted(key)).toEqual(all(200));
  });

  test("[I11] [I10] the running streams of a key that expires end within a second, and no other's", async () => {
    const release = Promise.withResolvers<void>();
    const { key } = await keys.created("streams", { expires_at: soon(HOUR_MS) });
    const { id: longer, key: other } = await keys.created("longer", { expires_at: soon(HOUR_MS) });
    await keys.update(longer, { expires_at: soon(HOUR_MS * 2) });
    const open = async (bearer: string): Promise<IncomingMessage[]> => {
      const { byThread } = stack.use(await holdConnections(bench.claviger, workers));
      const before = bench.upstream.requests.length;
      bench.upstream.behave({ kind: "stall", after: 200, until: release.promise });
      const call = { method: "POST", path: "/v1/chat/completions", headers: bearing(bearer) };
      const heads = await Promise.all(
        byThread.map((one) => one.open({ ...call, body: chat({ stream: true }) })),
      );
      await bench.upstream.arrived(before + workers - 1);
      bench.upstream.behave({ kind: "ok" });
      return heads;
    };
    const [ending, staying] = [await open(key), await open(other)];
    const texts = Promise.all(ending.map(readAll));
    const begun = performance.now();
    clock.advance(HOUR_MS);
    for (const text of await texts)
      expect(text).toMatch(/data: \{"error":[^\n]*"code":"invalid_token"\}\}\n\n$/);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(staying.map(({ complete, destroyed }) => complete || destroyed)).toEqual(all(false));
    release.resolve();
    for (const text of await Promise.all(staying.map(readAll))) expect(text).toMatch(/data: \[DONE\]\n\n$/);
    clock.advance(60_000);
  });

  test("[H3] rights and limits are others from the next request on", async () => {
    const { id, key } = await keys.created("changing");
    expect(await chatted(key)).toEqual(all(200));
    await keys.update(id, { permissions: [] });
    expect(await chatted(key)).toEqual(all(403));
    await keys.update(id, { permissions: ["gateway"], limits: { requests_per_minute: 1 } });
    expect((await asked("/v1/models", key)).map(({ status }) => status).toSorted()).toEqual(
      [200, ...all(429)].slice(0, workers),
    );
    expect(await chatted(key)).toEqual(all(429));
    await keys.update(id, { limits: { requests_per_minute: null } });
    expect(await chatted(key)).toEqual(all(200));
  });

  test("[I12] under live traffic a rotation fails no request; when the overlap is over, the old key is refused", async () => {
    const old = await keys.created("walk");
    let next: string | undefined;
    const failures: number[] = [];
    let asks = 0;
    let walking = true;
    const client = async () => {
      while (walking) {
        // A client takes the new key as soon as it has heard of it, another one stays with the old.
        const statuses = await chatted(asks % 2 === 0 && next !== undefined ? next : old.key);
        failures.push(...statuses.filter((status) => status !== 200));
        asks += 1;
      }
    };
    const clients = client();
    const moreAsks = async (count: number) => {
      const until = asks + count;
      await expect.poll(() => asks, { interval: 5, timeout: 20_000 }).toBeGreaterThan(until);
    };
    await moreAsks(5);
    const successor = await keys.rotated(old.id, "24h");
    next = successor.key;
    await moreAsks(20);
    clock.advance(24 * HOUR_MS - 1);
    await moreAsks(10);
    walking = false;
    await clients;
    expect(failures).toEqual([]);
    clock.advance(1);
    expect([await chatted(old.key), await chatted(successor.key)]).toEqual([all(401), all(200)]);
  });
});
