import { request as httpRequest } from "node:http";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { startUpstream, UPSTREAM_MODEL, type Upstream } from "#test/upstream.ts";
import { sendRaw } from "../gates/raw.ts";
import { type Reading, Scraper } from "./scrape.ts";

const MODEL = `sim/${UPSTREAM_MODEL}`;
const CHAT = { route: "/v1/chat/completions", method: "POST" };
const SERVED = { provider: "sim", model: MODEL };

const clock = new FakeClock();
let upstream: Upstream;
let claviger: TestClaviger;
let scraper: Scraper;
let before: Reading;

beforeAll(async () => {
  upstream = await startUpstream();
  // A clock that stands still: the models are listed once, and every further call is one that a test made.
  claviger = await startClaviger({ clock });
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  scraper = new Scraper(claviger, (await claviger.issueKey("prometheus", ["viewer"])).key);
});
afterAll(async () => {
  await claviger[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});
beforeEach(async () => {
  upstream.behave({ kind: "ok" });
  await claviger.call({ path: "/v1/models" });
  before = await scraper.quiet();
});

const chat = (model = MODEL, more: object = {}) =>
  claviger.call({
    method: "POST",
    path: "/v1/chat/completions",
    body: { model, messages: [{ role: "user", content: "hello" }], ...more },
  });

/** By how much a series has grown since the test began. */
const growth = (now: Reading, name: string, labels: Record<string, string> = {}) =>
  now.value(name, labels) - before.value(name, labels);

test("[W3] requests, latencies and first bytes grow by exactly what was sent", async () => {
  for (let sent = 0; sent < 3; sent++) expect((await chat()).status).toBe(200);
  expect((await chat(MODEL, { stream: true })).status).toBe(200);
  const now = await scraper.quiet();
  expect(growth(now, "claviger_http_requests_total", { ...CHAT, status: "2xx" })).toBe(4);
  expect(growth(now, "claviger_http_request_duration_seconds_count", CHAT)).toBe(4);
  expect(growth(now, "claviger_http_request_duration_seconds_bucket", { ...CHAT, le: "120" })).toBe(4);
  expect(growth(now, "claviger_gateway_requests_total", { ...SERVED, status: "2xx" })).toBe(4);
  for (const name of ["claviger_gateway_request_duration_seconds", "claviger_gateway_first_byte_seconds"]) {
    expect(growth(now, `${name}_count`, { provider: "sim" }), name).toBe(4);
    const sum = growth(now, `${name}_sum`, { provider: "sim" });
    expect(sum, name).toBeGreaterThan(0);
    expect(sum, name).toBeLessThan(30);
  }
  expect(growth(now, "claviger_upstream_results_total", { provider: "sim", result: "ok" })).toBe(4);
});

test("[W3] the histograms begin at 5 ms and end at two minutes", async () => {
  await chat();
  const bounds = (await scraper.quiet()).families
    .get("claviger_gateway_first_byte_seconds")
    ?.samples.flatMap(({ labels }) => labels.le ?? []);
  expect(bounds?.[0]).toBe("0.005");
  expect(bounds?.slice(-2)).toEqual(["120", "+Inf"]);
});

test("[W3] refusals grow by their code, whoever asks and wherever", async () => {
  const wrong = { authorization: `Bearer sk-claviger-${"x".repeat(20)}` };
  await claviger.call({ path: "/api/v1/keys", headers: wrong });
  await claviger.call({ path: "/v1/models", headers: wrong });
  await claviger.call({ path: "/nothing" });
  await claviger.call({ path: "/health", headers: { host: "evil.example" } });
  const now = await scraper.quiet();
  expect(growth(now, "claviger_errors_total", { code: "invalid_token" })).toBe(2);
  expect(growth(now, "claviger_errors_total", { code: "not_found" })).toBe(1);
  expect(growth(now, "claviger_errors_total", { code: "wrong_host" })).toBe(1);
  expect(
    growth(now, "claviger_http_requests_total", { route: "/api/v1/keys", method: "GET", status: "4xx" }),
  ).toBe(1);
  expect(
    growth(now, "claviger_http_requests_total", { route: "unknown", method: "other", status: "4xx" }),
  ).toBe(1);
});

test("[W3] what the parser refuses is counted as a request to nowhere", async () => {
  await sendRaw(claviger.url, "this is not HTTP\r\n\r\n");
  const now = await scraper.quiet();
  expect(growth(now, "claviger_errors_total", { code: "bad_request" })).toBe(1);
  expect(
    growth(now, "claviger_http_requests_total", { route: "unknown", method: "other", status: "4xx" }),
  ).toBe(1);
});

describe("an upstream's health", () => {
  const health = (now: Reading) => ({
    up: now.value("claviger_upstream_up", { provider: "sim" }),
    failures: now.value("claviger_upstream_consecutive_failures", { provider: "sim" }),
  });

  test("[W3] is down after a failure, counts those in a row, and is up after one answer", async () => {
    expect(health(before)).toEqual({ up: 1, failures: 0 });
    upstream.behave({ kind: "error", status: 500 });
    await chat();
    upstream.behave({ kind: "error", status: 429 });
    await chat();
    upstream.behave({ kind: "error", status: 401 });
    await chat();
    upstream.behave({ kind: "cut", afterBytes: 10 });
    await chat().catch(() => {});
    const down = await scraper.until((now) => health(now).failures >= 4);
    expect(health(down)).toEqual({ up: 0, failures: 4 });
    for (const result of ["server_error", "rate_limited", "credential_refused", "broken"])
      expect(growth(down, "claviger_upstream_results_total", { provider: "sim", result }), result).toBe(1);
    upstream.behave({ kind: "ok" });
    await chat();
    expect(health(await scraper.quiet())).toEqual({ up: 1, failures: 0 });
  });

  test("[W3] is told of an upstream that is not there, and no more of a provider that was removed", async () => {
    const gone = await startUpstream();
    await gone[Symbol.asyncDispose]();
    await claviger.addProvider("gone", gone.baseUrl);
    expect((await chat("gone/any")).status).toBe(502);
    const failing = await scraper.quiet();
    const labels = { provider: "gone" };
    expect(failing.value("claviger_upstream_up", labels)).toBe(0);
    expect(failing.value("claviger_upstream_consecutive_failures", labels)).toBeGreaterThan(0);
    expect(
      failing.value("claviger_upstream_results_total", { ...labels, result: "unreachable" }),
    ).toBeGreaterThan(0);
    expect(failing.value("claviger_upstream_last_result_timestamp_seconds", labels)).toBe(clock.now() / 1000);
    expect((await claviger.control({ method: "DELETE", path: "/api/v1/providers/gone" })).status).toBe(204);
    const removed = (await scraper.quiet()).families.get("claviger_upstream_up")?.samples;
    expect(removed?.map((sample) => sample.labels.provider)).toEqual(["sim"]);
  });
});

describe("what runs now", () => {
  test("[W3] a stream is counted from its first byte until it ends", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.behave({ kind: "stall", after: 20, until: promise });
    const answer = chat(MODEL, { stream: true });
    const during = await scraper.until((now) => now.value("claviger_gateway_streams_running") === 1);
    expect(during.value("claviger_http_requests_running")).toBe(2);
    resolve();
    await answer;
    expect((await scraper.quiet()).value("claviger_gateway_streams_running")).toBe(0);
  });

  test("[W3] a stream whose client leaves is over, and was no failure of the upstream's", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.behave({ kind: "stall", after: 20, until: promise });
    const outgoing = post(claviger.url, { model: MODEL, messages: [], stream: true });
    await scraper.until((now) => now.value("claviger_gateway_streams_running") === 1);
    outgoing.destroy();
    const now = await scraper.quiet();
    resolve();
    expect(now.value("claviger_gateway_streams_running")).toBe(0);
    expect(now.value("claviger_upstream_consecutive_failures", { provider: "sim" })).toBe(0);
  });

  test("[W3] a client that leaves before its answer is counted as one that left", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.behave({ kind: "stall", after: "request", until: promise });
    const index = upstream.requests.length;
    const outgoing = post(claviger.url, { model: MODEL, messages: [] });
    await upstream.arrived(index);
    outgoing.destroy();
    const now = await scraper.quiet();
    resolve();
    expect(growth(now, "claviger_http_requests_total", { ...CHAT, status: "left" })).toBe(1);
    expect(growth(now, "claviger_gateway_requests_total", { ...SERVED, status: "left" })).toBe(1);
    expect(growth(now, "claviger_upstream_results_total", { provider: "sim", result: "ok" })).toBe(0);
  });
});

test("[W3] the event loop's delay is told to every reader, and forgotten after a minute", async () => {
  const worst = (now: Reading) => now.value("claviger_event_loop_delay_seconds", { quantile: "1" });
  const end = performance.now() + 300;
  while (performance.now() < end);
  await scraper.until((now) => worst(now) > 0.2);
  expect(worst(await scraper.read())).toBeGreaterThan(0.2);
  expect(worst(await scraper.read())).toBeLessThan(30);
  for (let half = 0; half < 2; half++) {
    clock.advance(30_000);
    await scraper.read();
  }
  expect(worst(await scraper.read())).toBeLessThan(0.2);
});

test("[W3] process and build are told", async () => {
  const now = await scraper.read();
  expect(now.value("claviger_build_info", { version: "0.1.0", node_version: process.versions.node })).toBe(1);
  expect(now.value("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(now.value("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(now.value("process_open_fds")).toBeGreaterThan(3);
  expect(now.value("process_start_time_seconds")).toBeLessThan(Date.now() / 1000);
  expect(now.value("nodejs_memory_bytes", { use: "heap_used" })).toBeGreaterThan(1_000_000);
});

test("[W3] local programs that need no key show, and that they do where a key is demanded", async () => {
  await using strict = await startClaviger({ env: { REQUIRE_API_KEY: "true" } });
  const { key } = await strict.issueKey("prometheus", ["viewer"]);
  expect((await new Scraper(strict, key).read()).value("claviger_anonymous_listeners")).toBe(0);
  const now = await scraper.read();
  expect(now.value("claviger_anonymous_listeners")).toBe(1);
  expect(now.value("claviger_auth_off_listeners")).toBe(0);
});

test("[W3] two servers in one process count apart", async () => {
  await using other = await startClaviger();
  const { key } = await other.issueKey("prometheus", ["viewer"]);
  await chat();
  const theirs = await new Scraper(other, key).quiet();
  expect(theirs.value("claviger_http_requests_total", { ...CHAT, status: "2xx" })).toBe(0);
  expect(growth(await scraper.quiet(), "claviger_http_requests_total", { ...CHAT, status: "2xx" })).toBe(1);
});

test("[W3] rows of the request log that could not be written are counted", async () => {
  await using broken = await startClaviger();
  const { key } = await broken.issueKey("prometheus", ["viewer"]);
  await broken.addProvider("sim", upstream.baseUrl);
  using store = new DatabaseSync(path.join(broken.dataDir, "db", "data.sqlite"), { timeout: 5000 });
  store.exec("DROP TABLE request");
  const body = { model: MODEL, messages: [] };
  for (let sent = 0; sent < 2; sent++)
    expect((await broken.call({ method: "POST", path: CHAT.route, body })).status).toBe(200);
  const its = new Scraper(broken, key);
  expect(
    (await its.until((now) => now.value("claviger_request_rows_lost_total") >= 2)).value(
      "claviger_request_rows_lost_total",
    ),
  ).toBe(2);
  expect(broken.logged()).toContain("request rows could not be written");
});

/** A request whose connection the test may break; its errors are not of interest. */
function post(url: string, body: object): ReturnType<typeof httpRequest> {
  const outgoing = httpRequest(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  outgoing.on("error", () => {});
  outgoing.on("response", (response) => response.on("error", () => {}).resume());
  outgoing.end(JSON.stringify(body));
  return outgoing;
}
