import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { changeStore } from "#test/change-store.ts";
import { startClaviger } from "#test/claviger.ts";
import { sendRaw } from "../gates/raw.ts";
import { CHAT, type Metered, MODEL, startMetered } from "./metered.ts";
import { type Reading, Scraper } from "./scrape.ts";

let metered: Metered;
let before: Reading;

beforeAll(async () => {
  metered = await startMetered();
});
afterAll(() => metered[Symbol.asyncDispose]());
beforeEach(async () => {
  metered.upstream.behave({ kind: "ok" });
  await metered.claviger.call({ path: "/v1/models" });
  before = await metered.scraper.quiet();
});

/** By how much a series has grown since the test began. */
const growth = (now: Reading, name: string, labels: Record<string, string> = {}) =>
  now.value(name, labels) - before.value(name, labels);

test("[W3] requests, latencies and first bytes grow by exactly what was sent", async () => {
  for (let sent = 0; sent < 3; sent++) expect((await metered.chat()).status).toBe(200);
  expect((await metered.chat(MODEL, { stream: true })).status).toBe(200);
  const now = await metered.scraper.quiet();
  expect(growth(now, "claviger_http_requests_total", { ...CHAT, status: "2xx" })).toBe(4);
  expect(growth(now, "claviger_http_request_duration_seconds_count", CHAT)).toBe(4);
  expect(growth(now, "claviger_http_request_duration_seconds_bucket", { ...CHAT, le: "120" })).toBe(4);
  expect(
    growth(now, "claviger_gateway_requests_total", { provider: "sim", model: MODEL, status: "2xx" }),
  ).toBe(4);
  for (const name of ["claviger_gateway_request_duration_seconds", "claviger_gateway_first_byte_seconds"]) {
    expect(growth(now, `${name}_count`, { provider: "sim" }), name).toBe(4);
    const sum = growth(now, `${name}_sum`, { provider: "sim" });
    expect(sum, name).toBeGreaterThan(0);
    expect(sum, name).toBeLessThan(30);
  }
  expect(growth(now, "claviger_upstream_results_total", { provider: "sim", result: "ok" })).toBe(4);
});

test("[W3] tokens grow by what the upstream reported", async () => {
  await metered.chat();
  await metered.chat();
  const now = await metered.scraper.quiet();
  const tokens = (direction: string) =>
    growth(now, "claviger_gateway_tokens_total", { provider: "sim", model: MODEL, direction });
  expect([tokens("input"), tokens("output")]).toEqual([6, 4]);
});

test("[W3] the histograms begin at 5 ms and end at two minutes", async () => {
  await metered.chat();
  const bounds = (await metered.scraper.quiet()).families
    .get("claviger_gateway_first_byte_seconds")
    ?.samples.flatMap(({ labels }) => labels.le ?? []);
  expect(bounds?.[0]).toBe("0.005");
  expect(bounds?.slice(-2)).toEqual(["120", "+Inf"]);
});

test("[W3] refusals grow by their code, whoever asks and wherever", async () => {
  const wrong = { authorization: `Bearer sk-claviger-${"x".repeat(20)}` };
  await metered.claviger.call({ path: "/api/v1/keys", headers: wrong });
  await metered.claviger.call({ path: "/v1/models", headers: wrong });
  await metered.claviger.call({ path: "/nothing" });
  await metered.claviger.call({ path: "/health", headers: { host: "evil.example" } });
  const now = await metered.scraper.quiet();
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
  await sendRaw(metered.claviger.url, "this is not HTTP\r\n\r\n");
  const now = await metered.scraper.quiet();
  expect(growth(now, "claviger_errors_total", { code: "bad_request" })).toBe(1);
  expect(
    growth(now, "claviger_http_requests_total", { route: "unknown", method: "other", status: "4xx" }),
  ).toBe(1);
});

test("[W3] the event loop's delay is told to every reader, and forgotten after a minute", async () => {
  const worst = (now: Reading) => now.value("claviger_event_loop_delay_seconds", { stat: "max" });
  const end = performance.now() + 300;
  while (performance.now() < end);
  await metered.scraper.until((now) => worst(now) > 0.2);
  expect(worst(await metered.scraper.read())).toBeGreaterThan(0.2);
  expect(worst(await metered.scraper.read())).toBeLessThan(30);
  for (let half = 0; half < 2; half++) {
    metered.clock.advance(30_000);
    await metered.scraper.read();
  }
  expect(worst(await metered.scraper.read())).toBeLessThan(0.2);
});

test("[W3] a loop that is not late says so", async () => {
  const usual = (now: Reading) => now.value("claviger_event_loop_delay_seconds", { stat: "p50" });
  expect(usual(await metered.scraper.until((now) => usual(now) < 0.015))).toBeGreaterThanOrEqual(0);
});

test("[W3] process and build are told", async () => {
  const now = await metered.scraper.read();
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
  const now = await metered.scraper.read();
  expect(now.value("claviger_anonymous_listeners")).toBe(1);
  expect(now.value("claviger_auth_off_listeners")).toBe(0);
});

test("[W3] two servers in one process count apart", async () => {
  await using other = await startClaviger();
  const { key } = await other.issueKey("prometheus", ["viewer"]);
  await metered.chat();
  const theirs = await new Scraper(other, key).quiet();
  expect(theirs.value("claviger_http_requests_total", { ...CHAT, status: "2xx" })).toBe(0);
  expect(
    growth(await metered.scraper.quiet(), "claviger_http_requests_total", { ...CHAT, status: "2xx" }),
  ).toBe(1);
});

test("[W3] rows of the request log that could not be written are counted", async () => {
  await using broken = await startClaviger();
  const { key } = await broken.issueKey("prometheus", ["viewer"]);
  await broken.addProvider("sim", metered.upstream.baseUrl);
  await changeStore(broken.dataDir, "DROP TABLE request");
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
