import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Bench, chat, MODEL, startBench } from "../gateway/bench.ts";
import { Reading } from "../metrics/scrape.ts";
import { type HeldConnection, holdConnections, requestsByThread, textOf } from "./held-connections.ts";

const never = new Promise<void>(() => undefined);
const ROUTE = "/v1/chat/completions";
const asked = (bench: Bench, more: object = {}) => ({
  method: "POST",
  path: ROUTE,
  headers: { authorization: `Bearer ${bench.key}` },
  body: chat(more),
});
const read = async ({ claviger }: Bench) => new Reading((await claviger.control({ path: "/metrics" })).text);
const restarts = (reading: Reading) => reading.value("claviger_worker_restarts_total");
const errorsIn = (bench: Bench) =>
  bench.claviger
    .logged()
    .split("\n")
    .filter((line) => line.includes('"level":50'))
    .map((line): unknown => JSON.parse(line));

async function restarted(bench: Bench, count: number): Promise<void> {
  while (restarts(await read(bench)) < count) await nextTurn();
}

test("a thread that ends by itself is started anew and serves again, the others go on, and its clients are cut", async () => {
  await using bench = await startBench({ workers: 3 });
  using held = await holdConnections(bench.claviger, 3);
  using streaming = await holdConnections(bench.claviger, 3);
  bench.upstream.behave({ kind: "stall", after: 200, until: never });
  const open = (connection: HeldConnection) => connection.open(asked(bench, { stream: true }));
  const streams = await Promise.all(streaming.byThread.map(open));
  const ends = streams.map((stream) =>
    textOf(stream).then(
      () => "whole",
      () => "cut",
    ),
  );
  bench.upstream.behave({ kind: "ok" });
  bench.claviger.failWorker(1);
  expect(await ends[1]).toBe("cut");
  for (const thread of [0, 2]) {
    expect((await held.byThread[thread]?.ask(asked(bench)))?.status).toBe(200);
    expect(streams[thread]?.destroyed).toBe(false);
  }
  await restarted(bench, 1);
  using again = await holdConnections(bench.claviger, 3);
  expect(await Promise.all(again.byThread.map(async (one) => (await one.ask(asked(bench))).status))).toEqual([
    200, 200, 200,
  ]);
  expect(errorsIn(bench)).toEqual([
    expect.objectContaining({ thread: 1, detail: expect.stringContaining("a planted fault") }),
  ]);
  for (const secret of [bench.key, bench.credential]) expect(bench.claviger.logged()).not.toContain(secret);
});

test("a thread that was started anew knows keys, providers, revocations and the lock of before and after its start", async () => {
  await using bench = await startBench({ workers: 2 });
  const gone = await bench.claviger.issueKey("gone");
  await bench.claviger.control({ method: "DELETE", path: `/api/v1/keys/${gone.id}` });
  bench.claviger.failWorker(1);
  await restarted(bench, 1);
  using held = await holdConnections(bench.claviger, 2);
  const ask = async (bearer: string, model = MODEL) => {
    const headers = { authorization: `Bearer ${bearer}` };
    return (await held.byThread[1]?.ask({ ...asked(bench, { model }), headers }))?.status;
  };
  expect(await ask(gone.key)).toBe(401);
  expect(await ask(bench.key)).toBe(200);
  await bench.claviger.addProvider("later", bench.upstream.baseUrl, "upstream-credential-0002");
  const { key } = await bench.claviger.issueKey("later");
  expect(await ask(key, MODEL.replace("sim/", "later/"))).toBe(200);
  void bench.claviger.app.seal.close();
  expect(await ask(bench.key)).toBe(503);
});

test("a thread that fails again and again is started after longer and longer pauses", async () => {
  await using bench = await startBench({ workers: 2 });
  const ends: number[] = [];
  for (let count = 1; count <= 5; count += 1) {
    // Again and again, until the one that is being started is there to fail.
    while (restarts(await read(bench)) < count) {
      bench.claviger.failWorker(1);
      await nextTurn();
    }
    ends.push(performance.now());
  }
  const pauses = ends.slice(1).map((at, index) => at - (ends[index] ?? 0));
  const said = [...bench.claviger.logged().matchAll(/started anew in (\d+) ms/g)].map(([, ms]) => Number(ms));
  expect(said).toEqual([0, 100, 200, 400, 800]);
  for (const [index, least] of [0, 100, 200, 400].entries())
    expect(pauses[index]).toBeGreaterThanOrEqual(least);
});

const SHORT_DRAIN = "settings:\n  drain_timeout_ms: 100\n";

test("counters never sink: a thread that is gone, or that does not answer, counts as it last did", async () => {
  await using bench = await startBench({ workers: 3, yaml: SHORT_DRAIN });
  using held = await holdConnections(bench.claviger, 3);
  const labels = { route: ROUTE, method: "POST" };
  const counted = (reading: Reading) => [
    reading.value("claviger_http_requests_total", { ...labels, status: "2xx" }),
    reading.value("claviger_http_request_duration_seconds_count", labels),
  ];
  const ask = (thread: number) => held.byThread[thread]?.ask(asked(bench));
  const counts = async (count: number) => {
    for (;;) {
      const reading = await read(bench);
      if (counted(reading)[0] === count) return reading;
    }
  };
  for (const thread of [0, 1, 1, 2]) await ask(thread);
  expect(counted(await counts(4))).toEqual([4, 4]);
  for (const thread of [1, 2]) {
    // Some are answered by the thread in its last moment.
    const scrapes = Array.from({ length: 8 }, () => read(bench));
    bench.claviger.failWorker(thread);
    for (const reading of await Promise.all(scrapes)) expect(counted(reading)).toEqual([4, 4]);
    await restarted(bench, thread);
    expect(counted(await read(bench))).toEqual([4, 4]);
  }
  using again = await holdConnections(bench.claviger, 3);
  await again.byThread[2]?.ask(asked(bench));
  const before = counted(await counts(5));
  const byThread = await requestsByThread(bench.claviger, 3);
  await bench.claviger.stallWorker(2);
  // A change and a scrape wait for it, but not for long.
  await bench.claviger.addProvider("late", bench.upstream.baseUrl);
  expect(counted(await read(bench))).toEqual(before);
  expect((await requestsByThread(bench.claviger, 3)).slice(1)).toEqual(byThread.slice(1));
  expect((await again.byThread[1]?.ask(asked(bench)))?.status).toBe(200);
});

test("a thread that does not answer does not keep the server from stopping", async () => {
  await using bench = await startBench({ workers: 2, yaml: SHORT_DRAIN });
  await bench.claviger.stallWorker(1);
  const begun = performance.now();
  await bench.claviger.app.close();
  expect(performance.now() - begun).toBeLessThan(6000);
});
