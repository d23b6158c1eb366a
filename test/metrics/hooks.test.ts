import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAuditRecorder } from "#gates/audit/index.ts";
import type { EgressClient } from "#platform/egress/egress-client.ts";
import { createLog } from "#platform/log/log.ts";
import { type Metrics, openMetrics } from "#platform/log/metrics/metrics.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { answeringClient, wholeAnswer } from "./answering-client.ts";
import { Reading } from "./scrape.ts";

const clock = new FakeClock();
let metrics: Metrics;
beforeEach(() => {
  const sealStatus = () => ({ initialized: true, unlocked: true });
  metrics = openMetrics({ version: "1.2.3", clock, sealStatus });
});
afterEach(() => metrics.close());

const read = async () => new Reading(await metrics.text());
const REQUEST = { provider: "p", model: "p/m", status: 200, latency_ms: 1500, first_byte_ms: 20 };

test("[W3] tokens and cost are added up by provider and model", async () => {
  metrics.gateway.finished({ ...REQUEST, input_tokens: 100, output_tokens: 20, cost_nano_usd: 250_000_000 });
  metrics.gateway.finished({ ...REQUEST, input_tokens: 1, output_tokens: 2, cost_nano_usd: 500_000_000 });
  metrics.gateway.finished({
    ...REQUEST,
    model: "p/n",
    input_tokens: 7,
    output_tokens: null,
    cost_nano_usd: null,
  });
  const now = await read();
  const tokens = (model: string, direction: string) =>
    now.value("claviger_gateway_tokens_total", { provider: "p", model, direction });
  expect([tokens("p/m", "input"), tokens("p/m", "output")]).toEqual([101, 22]);
  expect([tokens("p/n", "input"), tokens("p/n", "output")]).toEqual([7, 0]);
  expect(now.value("claviger_gateway_cost_usd_total", { provider: "p", model: "p/m" })).toBe(0.75);
});

test("[W3] times are told in seconds, in the bucket where they belong", async () => {
  metrics.gateway.finished(REQUEST);
  metrics.gateway.finished({ ...REQUEST, first_byte_ms: null });
  const now = await read();
  const duration = (le: string) =>
    now.value("claviger_gateway_request_duration_seconds_bucket", { provider: "p", le });
  expect([duration("1"), duration("2.5")]).toEqual([0, 2]);
  expect(now.value("claviger_gateway_request_duration_seconds_sum", { provider: "p" })).toBe(3);
  const firstByte = (le: string) =>
    now.value("claviger_gateway_first_byte_seconds_bucket", { provider: "p", le });
  expect([firstByte("0.01"), firstByte("0.025")]).toEqual([0, 1]);
});

test("[W3] an HTTP request's duration is told in seconds", async () => {
  const route = { method: "GET", path: "/health" };
  metrics.http.began();
  metrics.http.ended({ route, startedMs: performance.now() - 1500, errorCode: undefined }, 200);
  const labels = { route: "/health", method: "GET" };
  const sum = (await read()).value("claviger_http_request_duration_seconds_sum", labels);
  expect(sum).toBeGreaterThanOrEqual(1.5);
  expect(sum).toBeLessThan(60);
});

test("[W3] a call counts for the providers below whose base URL it lies, and for no other", async () => {
  const owners = Object.entries({
    mine: "https://a.example/v1",
    twin: "https://a.example/v1",
    beta: "https://a.example/v1beta",
    cut: "https://a.example/v",
    deeper: "https://a.example/v1/x",
    plain: "http://a.example/v1",
    root: "https://a.example/",
  }).map(([name, baseUrl]) => ({ name, baseUrl: new URL(baseUrl) }));
  const client = metrics.upstreams.watch(
    answeringClient(async () => wholeAnswer(200)),
    () => owners,
  );
  await client.collect({ url: new URL("https://a.example/v1/models"), method: "GET", headers: [] }, 1);
  const seen = (await read()).families.get("claviger_upstream_up")?.samples;
  expect(seen?.map(({ labels }) => labels.provider)).toEqual(["mine", "twin", "root"]);
});

test.each([
  ["https://a.example/v1?key=1", "https://a.example/v1?version=2", 1],
  ["https://a.example/v1#x", "https://a.example/v1", 1],
  ["https://a.example/v1/x?/v1", "https://a.example/v1/", 1],
  ["https://a.example/v1", "https://a.example/v1/", 0],
  ["https://a.example.net/v1", "https://a.example/", 0],
  ["https://a.example:8443/v1", "https://a.example/v1", 0],
  ["https://b.example/?https://a.example/v1", "https://a.example/v1", 0],
])("[W3] a call to %s below %s counts %d times", async (asked, base, times) => {
  const client = metrics.upstreams.watch(
    answeringClient(async () => wholeAnswer(200)),
    () => [{ name: "p", baseUrl: new URL(base) }],
  );
  await client.collect({ url: new URL(asked), method: "GET", headers: [] }, 1);
  const labels = { provider: "p", result: "ok" };
  expect((await read()).value("claviger_upstream_results_total", labels)).toBe(times);
});

test("[W3] a stream that its caller's signal ends is over, once, and what steers it reaches the client", async () => {
  const steered: string[] = [];
  const exchange = {
    abort: () => void steered.push("abort"),
    pause: () => void steered.push("pause"),
    resume: () => void steered.push("resume"),
  };
  const ignored = { onHeaders: () => {}, onData: () => {}, onEnd: () => {}, onError: () => {} };
  const baseUrl = new URL("https://a.example/");
  const dialled: EgressClient = {
    ...answeringClient(async () => wholeAnswer(200)),
    request: (_wanted, handler) => {
      handler.onHeaders(200, ["X-Some", "y", "Content-Type", "text/event-stream; charset=utf-8"]);
      return exchange;
    },
  };
  const client = metrics.upstreams.watch(dialled, () => [{ name: "p", baseUrl }]);
  const leaving = new AbortController();
  const call = client.request({ url: baseUrl, method: "GET", headers: [], signal: leaving.signal }, ignored);
  call.pause();
  call.resume();
  const running = async () => (await read()).value("claviger_gateway_streams_running");
  expect(await running()).toBe(1);
  leaving.abort();
  expect(await running()).toBe(0);
  call.abort();
  expect(steered).toEqual(["pause", "resume", "abort"]);
  expect((await read()).value("claviger_upstream_results_total", { provider: "p", result: "ok" })).toBe(1);
});

test.each([
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
])("[W3] a count of %d tokens counts nothing, and breaks nothing", async (amount) => {
  metrics.gateway.finished({ ...REQUEST, input_tokens: amount, output_tokens: 5, cost_nano_usd: amount });
  const now = await read();
  const labels = { provider: "p", model: "p/m" };
  expect(now.value("claviger_gateway_tokens_total", { ...labels, direction: "input" })).toBe(0);
  expect(now.value("claviger_gateway_tokens_total", { ...labels, direction: "output" })).toBe(5);
  expect(now.value("claviger_gateway_cost_usd_total", labels)).toBe(0);
});

test("[W3] a listener with authentication off shows, and when its certificate ends", async () => {
  const plain = { name: "local", anonymous: true, authOff: false, certificateExpiresMs: undefined };
  const open = { name: "open", anonymous: false, authOff: true, certificateExpiresMs: 1_800_000_000_500 };
  metrics.listening([open, open]);
  metrics.listening([plain, open]);
  const now = await read();
  expect(now.value("claviger_auth_off_listeners")).toBe(1);
  expect(now.value("claviger_anonymous_listeners")).toBe(1);
  const expiry = "claviger_certificate_expiry_timestamp_seconds";
  expect(now.value(expiry, { listener: "open" })).toBe(1_800_000_000.5);
  expect(now.series(expiry)).toBe(1);
});

test("[W3] refusals that the audit adds up are counted, and logged as before", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-metrics-"));
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    sink: { write: (line) => void lines.push(line) },
  });
  {
    await using database = await openSqlite({ dataDir, clock });
    const audit = openAuditRecorder({ database, clock, log: metrics.countingRows(log, "audit") });
    const refusal = {
      actor: "key_a",
      action: "gateway.use",
      route: "/v1/models",
      outcome: "denied",
    } as const;
    for (let at = 0; at < 5003; at++) audit.refusal({ ...refusal, address: null, requestId: null });
    await audit.close();
  }
  rmSync(dataDir, { recursive: true });
  expect((await read()).value("claviger_audit_rows_summed_total")).toBe(3);
  expect(lines.join("")).toContain('"rows":3');
});

test("[W3] words of a log without rows count nothing", async () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    sink: { write: (line) => void lines.push(line) },
  });
  const counting = metrics.countingRows(log, "request");
  counting.warn({ code: "internal" }, "something else");
  counting.info({ rows: 9 }, "told, not lost");
  expect((await read()).value("claviger_request_rows_lost_total")).toBe(0);
  expect(lines).toHaveLength(2);
});

test("[W3] once closed, the event loop is measured no more", async () => {
  const worst = async () => (await read()).value("claviger_event_loop_delay_seconds", { stat: "max" });
  // The first tick of the measurement's timer has nothing before it to compare with.
  while ((await worst()) === 0) await blockFor(50);
  metrics.close();
  const closed = await worst();
  await blockFor((closed + 0.3) * 1000);
  expect(await worst()).toBe(closed);
});

/** Keeps the event loop from turning, then lets it turn. */
async function blockFor(ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end);
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
