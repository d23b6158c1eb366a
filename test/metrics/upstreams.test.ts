import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startUpstream } from "#test/upstream.ts";
import { CHAT, type Metered, MODEL, startMetered } from "./metered.ts";
import type { Reading } from "./scrape.ts";

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

describe("an upstream's health", () => {
  const health = (now: Reading) => ({
    up: now.value("claviger_upstream_up", { provider: "sim" }),
    failures: now.value("claviger_upstream_consecutive_failures", { provider: "sim" }),
  });

  test("[W3] is down after a failure, counts those in a row, and is up after one answer", async () => {
    expect(health(before)).toEqual({ up: 1, failures: 0 });
    metered.upstream.behave({ kind: "error", status: 500 });
    await metered.chat();
    metered.upstream.behave({ kind: "error", status: 429 });
    await metered.chat();
    metered.upstream.behave({ kind: "error", status: 401 });
    await metered.chat();
    metered.upstream.behave({ kind: "cut", afterBytes: 10 });
    await metered.chat().catch(() => {});
    const down = await metered.scraper.until((now) => health(now).failures >= 4);
    expect(health(down)).toEqual({ up: 0, failures: 4 });
    for (const result of ["server_error", "rate_limited", "credential_refused", "broken"])
      expect(growth(down, "claviger_upstream_results_total", { provider: "sim", result }), result).toBe(1);
    metered.upstream.behave({ kind: "ok" });
    await metered.chat();
    expect(health(await metered.scraper.quiet())).toEqual({ up: 1, failures: 0 });
  });

  test("[W3] is told of an upstream that is not there, and no more of a provider that was removed", async () => {
    const gone = await startUpstream();
    await gone[Symbol.asyncDispose]();
    await metered.claviger.addProvider("gone", gone.baseUrl);
    expect((await metered.chat("gone/any")).status).toBe(502);
    const failing = await metered.scraper.quiet();
    const labels = { provider: "gone" };
    expect(failing.value("claviger_upstream_up", labels)).toBe(0);
    expect(failing.value("claviger_upstream_consecutive_failures", labels)).toBeGreaterThan(0);
    expect(
      failing.value("claviger_upstream_results_total", { ...labels, result: "unreachable" }),
    ).toBeGreaterThan(0);
    expect(health(failing)).toEqual({ up: 1, failures: 0 });
    expect(failing.value("claviger_upstream_last_result_timestamp_seconds", labels)).toBe(
      metered.clock.now() / 1000,
    );
    expect(
      (await metered.claviger.control({ method: "DELETE", path: "/api/v1/providers/gone" })).status,
    ).toBe(204);
    const removed = (await metered.scraper.quiet()).families.get("claviger_upstream_up")?.samples;
    expect(removed?.map((sample) => sample.labels.provider)).toEqual(["sim"]);
  });
});

describe("what runs now", () => {
  test("[W3] a stream is counted from its first byte until it ends", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    metered.upstream.behave({ kind: "stall", after: 20, until: promise });
    const answer = metered.chat(MODEL, { stream: true });
    const during = await metered.scraper.until((now) => now.value("claviger_gateway_streams_running") === 1);
    expect(during.value("claviger_http_requests_running")).toBe(2);
    resolve();
    await answer;
    expect((await metered.scraper.quiet()).value("claviger_gateway_streams_running")).toBe(0);
  });

  test("[W3] a stream whose client leaves is over, and was no failure of the upstream's", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    metered.upstream.behave({ kind: "stall", after: 20, until: promise });
    const outgoing = metered.post({ stream: true });
    await metered.scraper.until((now) => now.value("claviger_gateway_streams_running") === 1);
    outgoing.destroy();
    const now = await metered.scraper.quiet();
    resolve();
    expect(now.value("claviger_gateway_streams_running")).toBe(0);
    expect(now.value("claviger_upstream_consecutive_failures", { provider: "sim" })).toBe(0);
  });

  test("[W3] a client that leaves before its answer is counted as one that left", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    metered.upstream.behave({ kind: "stall", after: "request", until: promise });
    const index = metered.upstream.requests.length;
    const outgoing = metered.post({});
    await metered.upstream.arrived(index);
    outgoing.destroy();
    const now = await metered.scraper.quiet();
    resolve();
    expect(growth(now, "claviger_http_requests_total", { ...CHAT, status: "left" })).toBe(1);
    expect(
      growth(now, "claviger_gateway_requests_total", { provider: "sim", model: MODEL, status: "left" }),
    ).toBe(1);
    expect(growth(now, "claviger_upstream_results_total", { provider: "sim", result: "ok" })).toBe(0);
  });
});
