import { expect, test } from "vitest";
import { z } from "zod";
import { type Bench, chat, requestRows, startBench } from "../gateway/bench.ts";
import { Reading } from "../metrics/scrape.ts";
import { type HeldConnections, holdConnections } from "./held-connections.ts";

const ROUTE = "/v1/chat/completions";
const LABELS = { route: ROUTE, method: "POST" };

const read = async ({ claviger }: Bench) => new Reading((await claviger.control({ path: "/metrics" })).text);

async function askEvery(bench: Bench, held: HeldConnections, times: number): Promise<void> {
  const headers = { authorization: `Bearer ${bench.key}` };
  for (let round = 0; round < times; round += 1)
    await Promise.all(
      held.byThread.map((one) => one.ask({ method: "POST", path: ROUTE, headers, body: chat() })),
    );
}

test.each([
  2, 4,
])("[G7] [G9] rows of all of %i threads are listed and summed as soon as they are answered", async (workers) => {
  await using bench = await startBench({ workers });
  using held = await holdConnections(bench.claviger, workers);
  const own = async () =>
    (await requestRows(bench.claviger)).filter(({ principal }) => principal === bench.id).length;
  const usage = z.object({ data: z.array(z.object({ key: z.string(), requests: z.number() })) });
  const summed = async () => {
    const { json } = await bench.claviger.control({ path: "/api/v1/usage?by=key" });
    return usage.parse(json).data.find(({ key }) => key === bench.id)?.requests;
  };
  for (let round = 1; round <= 5; round += 1) {
    await askEvery(bench, held, 2);
    expect(await own()).toBe(2 * round * workers);
    expect(await summed()).toBe(2 * round * workers);
  }
});

test("counters and histograms are sums over the threads, and the reading is well formed", async () => {
  await using bench = await startBench({ workers: 3 });
  using held = await holdConnections(bench.claviger, 3);
  await askEvery(bench, held, 4);
  const until = async (count: number) => {
    for (;;) {
      const reading = await read(bench);
      if (reading.value("claviger_http_requests_total", { ...LABELS, status: "2xx" }) >= count)
        return reading;
    }
  };
  const reading = await until(12);
  expect(reading.value("claviger_http_requests_total", { ...LABELS, status: "2xx" })).toBe(12);
  expect(reading.value("claviger_http_request_duration_seconds_count", LABELS)).toBe(12);
  expect(reading.value("claviger_http_request_duration_seconds_bucket", { ...LABELS, le: "+Inf" })).toBe(12);
  const byThread = [0, 1, 2].map((thread) =>
    reading.value("claviger_thread_requests_total", { thread: String(thread) }),
  );
  for (const count of byThread) expect(count).toBeGreaterThanOrEqual(4);
  expect(reading.value("claviger_http_requests_running")).toBe(1);
  expect(reading.series("claviger_worker_restarts_total")).toBe(1);
});

test("how an upstream fares is one thing for all threads", async () => {
  await using bench = await startBench({ workers: 3 });
  using held = await holdConnections(bench.claviger, 3);
  const name = "claviger_upstream_consecutive_failures";
  const failures = async () => (await read(bench)).value(name, { provider: "sim" });
  for (const [thread, connection] of held.byThread.entries()) {
    const headers = { authorization: `Bearer ${bench.key}` };
    const ask = () => connection.ask({ method: "POST", path: ROUTE, headers, body: chat() });
    bench.upstream.behave({ kind: "error", status: 500 });
    await ask();
    while ((await failures()) === 0);
    bench.upstream.behave({ kind: "ok" });
    expect([thread, (await ask()).status]).toEqual([thread, 200]);
    while ((await failures()) !== 0);
  }
  expect((await read(bench)).series(name)).toBe(1);
});
