import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#platform/lib/clock.ts";
import { openMetrics } from "#platform/log/metrics/metrics.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openRaw, rawRequest, sendRaw } from "../gates/raw.ts";
import { Reading, Scraper } from "./scrape.ts";

const ODD_NAMES = ['a"b', "a\\b", "a b", "ä-模型", "{le}", "#", "a\nb", "a\u0000b", "a\u2028b", "a\u200bb"];
const MODELS = [...ODD_NAMES, ...Array.from({ length: 400 }, (_, index) => `model-${index}`)];

let claviger: TestClaviger;
let scraper: Scraper;
let upstream: { baseUrl: string; close(): void };

beforeAll(async () => {
  upstream = await startLister(MODELS);
  claviger = await startClaviger({ clock: new FakeClock() });
  await claviger.addProvider("sim", upstream.baseUrl);
  scraper = new Scraper(claviger, (await claviger.issueKey("prometheus", ["viewer"])).key);
  await claviger.call({ path: "/v1/models" });
});
afterAll(async () => {
  await claviger[Symbol.asyncDispose]();
  upstream.close();
});

const chat = (model: string) =>
  claviger.call({ method: "POST", path: "/v1/chat/completions", body: { model, messages: [] } });

test("[W3] what a client sends never becomes a label", async () => {
  const mark = "hostile";
  const before = await scraper.quiet();
  expect((await chat(`sim/${mark}"} 7`)).status).toBe(200);
  await chat(`sim/${mark}"} 1\nclaviger_locked 7`);
  await chat(`${mark}/x`);
  await chat(mark);
  await claviger.call({ path: `/v1/models/${mark}` });
  await claviger.call({ path: `/v1/${mark}` });
  await claviger.call({ path: `/api/v1/${mark}` });
  await claviger.call({ path: `/${mark}?${mark}=1` });
  await claviger.control({ path: `/api/v1/providers/${mark}` });
  const headers = { "x-request-id": mark, "user-agent": mark, "x-forwarded-for": mark };
  await claviger.call({ path: "/health", headers });
  await claviger.call({
    path: "/health",
    headers: { authorization: `Bearer ${mark}`, host: `${mark}.example` },
  });
  await sendRaw(claviger.url, rawRequest("PROPFIND /hostile HTTP/1.1", []));
  await sendRaw(claviger.url, `HOSTILE /${mark} HTTP/1.1\r\n\r\n`);
  const now = await scraper.quiet();
  for (const value of now.labelValues()) expect(value).not.toMatch(/hostile|propfind/i);
  const sim = { provider: "sim", model: "unknown", status: "2xx" };
  const grown = (name: string, labels: Record<string, string>) =>
    now.value(name, labels) - before.value(name, labels);
  expect(grown("claviger_gateway_requests_total", sim)).toBeGreaterThanOrEqual(1);
  expect(
    grown("claviger_http_requests_total", { route: "unknown", method: "other", status: "4xx" }),
  ).toBeGreaterThanOrEqual(4);
});

test("[W3] routes are named by their templates, and every label of a route is one", async () => {
  await claviger.control({ path: "/api/v1/providers/sim" });
  await claviger.call({ path: "/v1/models/sim%2Fmodel-1" });
  const templates = new Set(claviger.app.routes().map(({ contract }) => contract?.path));
  const samples = (await scraper.quiet()).families.get("claviger_http_requests_total")?.samples ?? [];
  expect(samples.length).toBeGreaterThan(3);
  for (const { labels } of samples)
    expect(templates.has(labels.route) || labels.route === "unknown", labels.route).toBe(true);
});

test("[W3] odd names of a catalogue stand escaped, unprintable ones as other, and the text still parses", async () => {
  const before = await scraper.quiet();
  for (const name of ODD_NAMES) expect((await chat(`sim/${name}`)).status).toBeLessThan(500);
  const now = await scraper.quiet();
  const count = (model: string) =>
    now.value("claviger_gateway_requests_total", { provider: "sim", model, status: "2xx" });
  for (const name of ODD_NAMES.slice(0, 6)) expect(count(`sim/${name}`), name).toBe(1);
  for (const value of now.labelValues()) expect(value).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(now.value("claviger_locked")).toBe(before.value("claviger_locked"));
});

test("[W3] however many models a catalogue has, so many have series of their own, and the others one together", async () => {
  for (let at = 0; at < 400; at++) expect((await chat(`sim/model-${at}`)).status).toBe(200);
  const full = await scraper.quiet();
  const models = new Set(
    full.families.get("claviger_gateway_requests_total")?.samples.map(({ labels }) => labels.model),
  );
  // 256 by name, and `other` and `unknown`.
  expect(models.size).toBeLessThanOrEqual(258);
  expect(models.size).toBeGreaterThan(250);
  const count = (reading: Reading, model: string) =>
    reading.value("claviger_gateway_requests_total", { provider: "sim", model, status: "2xx" });
  expect(count(full, "other")).toBeGreaterThanOrEqual(400 - 256);
  const named = (reading: Reading) => (models.has("sim/model-399") ? count(reading, "sim/model-399") : 0);
  const already = count(full, "other") + named(full);
  await chat("sim/model-399");
  const now = await scraper.quiet();
  expect(count(now, "other") + named(now)).toBe(already + 1);
  expect(now.series("claviger_gateway_requests_total")).toBe(full.series("claviger_gateway_requests_total"));
});

test("[W3] providers and the models under them are bounded together", async () => {
  const metrics = openMetrics({
    version: "0",
    clock: systemClock,
    sealStatus: () => ({ initialized: true, unlocked: true }),
  });
  for (let provider = 0; provider < 200; provider++)
    for (let model = 0; model < 20; model++)
      metrics.gateway.finished({
        provider: `p${provider}`,
        model: `m${model}`,
        status: 200,
        latency_ms: 1,
        first_byte_ms: 1,
      });
  const now = new Reading(await metrics.text());
  metrics.close();
  const requests = now.families.get("claviger_gateway_requests_total")?.samples ?? [];
  expect(new Set(requests.map(({ labels }) => labels.provider)).size).toBe(65);
  // 256 models by name, and one `other` for each provider.
  expect(requests.length).toBeLessThanOrEqual(256 + 65);
  expect(requests.reduce((sum, { value }) => sum + value, 0)).toBe(4000);
  expect(now.value("claviger_gateway_first_byte_seconds_count", { provider: "other" })).toBe(136 * 20);
});

test("[W3] a client that breaks off in the middle of its request leaves nothing running", async () => {
  {
    await using connection = openRaw(claviger.url);
    const head = ["Content-Type: application/json", "Content-Length: 9"];
    connection.socket.write(rawRequest("POST /v1/chat/completions HTTP/1.1", head, "{"));
    await scraper.until((now) => now.value("claviger_http_requests_running") === 2);
  }
  expect((await scraper.quiet()).value("claviger_http_requests_running")).toBe(1);
});

/** An upstream that lists these models and answers every other request with an empty object. */
async function startLister(models: readonly string[]): Promise<{ baseUrl: string; close(): void }> {
  const list = JSON.stringify({ object: "list", data: models.map((id) => ({ id })) });
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(request.method === "GET" ? list : "{}");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no port");
  return { baseUrl: `http://127.0.0.1:${address.port}/v1`, close: () => void server.close() };
}
