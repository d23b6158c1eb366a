import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bench, chat, readAll, startBench } from "../gateway/bench.ts";
import { adminOf, freshKey, keyApi } from "../seal-http/bench.ts";
import { type HeldConnections, holdConnections } from "./held-connections.ts";

const bearing = (key: string) => ({ authorization: `Bearer ${key}` });

describe.each([1, 2, 4])("with %i threads", (workers) => {
  const stack = new AsyncDisposableStack();
  const key = freshKey();
  let bench: Bench;
  let held: HeldConnections;
  let api: ReturnType<typeof keyApi>;
  beforeAll(async () => {
    bench = stack.use(await startBench({ workers }));
    held = stack.use(await holdConnections(bench.claviger, workers));
    api = keyApi(bench.claviger, await adminOf(bench.claviger));
    expect((await api.initialize(key)).status).toBe(200);
  });
  afterAll(() => stack.disposeAsync());

  const chatRequest = { method: "POST", path: "/v1/chat/completions" };
  const askAll = () =>
    Promise.all(
      held.byThread.map((one) => one.ask({ ...chatRequest, headers: bearing(bench.key), body: chat() })),
    );
  const statuses = async () => (await askAll()).map(({ status }) => status);
  const all = (status: number) => Array.from({ length: workers }, () => status);

  test("[S9] [S5] after the answer of a lock no thread serves, and after that of an unlock every thread does, each time", async () => {
    for (let round = 0; round < 10; round++) {
      expect((await api.lock()).status).toBe(200);
      expect(await statuses()).toEqual(all(503));
      expect((await api.unlock(key)).status).toBe(200);
      expect(await statuses()).toEqual(all(200));
    }
    expect(bench.upstream.requests.at(-1)?.rawHeaders).toContain(`Bearer ${bench.credential}`);
  });

  test("[S9] what begins after an unlock is not ended by the lock before it", async () => {
    for (let round = 0; round < 5; round++) {
      const release = Promise.withResolvers<void>();
      expect((await api.lock()).status).toBe(200);
      expect((await api.unlock(key)).status).toBe(200);
      bench.upstream.behave({ kind: "stall", after: 200, until: release.promise });
      const body = chat({ stream: true });
      const streams: IncomingMessage[] = await Promise.all(
        held.byThread.map((one) => one.open({ ...chatRequest, headers: bearing(bench.key), body })),
      );
      expect(streams.map(({ statusCode }) => statusCode)).toEqual(all(200));
      bench.upstream.behave({ kind: "ok" });
      release.resolve();
      for (const text of await Promise.all(streams.map(readAll))) expect(text).toMatch(/data: \[DONE\]\n\n$/);
    }
  });

  test("[S10] of a lock and an unlock at once one is the last, and all threads are as that left them", async () => {
    for (let round = 0; round < 5; round++) {
      await Promise.all([api.unlock(key), api.lock()]);
      const { unlocked } = bench.claviger.app.seal.status();
      expect(await statuses()).toEqual(all(unlocked ? 200 : 503));
    }
    expect((await api.unlock(key)).status).toBe(200);
  });

  test("[S9] a lock ends the streams of every thread, and is served while all wait for the upstream", async () => {
    bench.upstream.behave({ kind: "stall", after: 200, until: new Promise(() => undefined) });
    const body = chat({ stream: true });
    const streams = await Promise.all(
      held.byThread.map((one) => one.open({ ...chatRequest, headers: bearing(bench.key), body })),
    );
    const texts = Promise.all(streams.map(readAll));
    expect((await api.lock()).status).toBe(200);
    for (const text of await texts)
      expect(text).toMatch(/data: \{"error":[^\n]*"code":"server_locked"\}\}\n\n$/);
  });
});

test("[S9] a thread that does not answer holds up neither a lock nor an unlock", async () => {
  await using bench = await startBench({ workers: 2 });
  const control = (path: string, body?: object) =>
    bench.claviger.control({ method: "POST", path: `/api/v1/key/${path}`, body });
  const key = freshKey();
  expect((await control("initialize", { key })).status).toBe(200);
  await bench.claviger.stallWorker(1);
  expect((await control("lock")).status).toBe(200);
  expect((await control("unlock", { key })).status).toBe(200);
});

test("[S9] a thread that is started anew while the server is locked serves nothing before it is unlocked, and then does", async () => {
  await using bench = await startBench({ workers: 2 });
  const api = keyApi(bench.claviger, await adminOf(bench.claviger));
  const key = freshKey();
  await api.initialize(key);
  await api.lock();
  bench.claviger.failWorker(1);
  // It listens anew before it counts as started anew.
  await expect
    .poll(async () => (await bench.claviger.control({ path: "/metrics" })).text, { timeout: 20_000 })
    .toMatch(/claviger_worker_restarts_total 1\n/);
  using held = await holdConnections(bench.claviger, 2);
  const ask = () =>
    Promise.all(
      held.byThread.map((one) =>
        one.ask({ method: "POST", path: "/v1/chat/completions", headers: bearing(bench.key), body: chat() }),
      ),
    );
  expect((await ask()).map(({ status }) => status)).toEqual([503, 503]);
  await api.unlock(key);
  expect((await ask()).map(({ status }) => status)).toEqual([200, 200]);
});
