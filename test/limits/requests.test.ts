import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { message } from "#test/gateway/anthropic-bench.ts";
import { chat, startBench, until } from "#test/gateway/bench.ts";

const CLIENTS = 64;
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** A server on a clock that stands still, and a key of these limits. */
async function limited(limits: Record<string, number>, dialect: "openai" | "anthropic" = "openai") {
  const clock = new FakeClock();
  const bench = await startBench({ clock }, dialect);
  const { key } = await bench.claviger.issueKey("limited", ["superadmin"], limits);
  const ask = (path = "/v1/models") => bench.claviger.call({ path, headers: bearer(key) });
  const atOnce = async (path?: string) => {
    const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(path)));
    return answers.filter(({ status }) => status === 200).length;
  };
  /** Settles once so many requests were refused. */
  const refusals = (count: number) =>
    until(() => bench.claviger.logged().split('"rate_limited"').length > count);
  return Object.assign(bench, { clock, limitedKey: key, ask, atOnce, refusals });
}

test("[I14] of 64 clients at once exactly as many pass as the bucket holds, and as many as it was refilled with", async () => {
  await using bench = await limited({ requests_per_minute: 50 });
  expect(await bench.atOnce()).toBe(50);
  bench.clock.advance(1199);
  expect(await bench.atOnce()).toBe(0);
  bench.clock.advance(1);
  expect(await bench.atOnce()).toBe(1);
  bench.clock.advance(60_000);
  expect(await bench.atOnce()).toBe(50);
});

test("[I14] /api and the gateway draw from one bucket; another key has its own", async () => {
  await using bench = await limited({ requests_per_minute: 3 });
  const paths = ["/v1/models", "/api/v1/keys", "/v1/none", "/api/v1/none", "/v1/models", "/api/v1/keys"];
  const statuses: number[] = [];
  for (const path of paths) statuses.push((await bench.ask(path)).status);
  expect(statuses).toEqual([200, 200, 404, 429, 429, 429]);
  const other = await bench.claviger.issueKey("other", ["gateway"], { requests_per_minute: 1 });
  const asOther = () => bench.claviger.call({ path: "/v1/models", headers: bearer(other.key) });
  expect([(await asOther()).status, (await asOther()).status]).toEqual([200, 429]);
  expect((await bench.claviger.call({ path: "/v1/models", headers: bearer(bench.key) })).status).toBe(200);
});

test("[I14][A6] each dialect tells what is left, and refuses in its own shape with retry-after", async () => {
  await using bench = await limited({ requests_per_minute: 6 });
  const asAnthropic = () =>
    bench.claviger.call({
      path: "/v1/models",
      headers: { ...bearer(bench.limitedKey), "anthropic-version": "2023-06-01" },
    });
  const left = (reset: string, remaining: number) => ({
    "x-ratelimit-limit-requests": "6",
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": reset,
  });
  expect((await bench.ask()).headers).toMatchObject(left("10s", 5));
  expect((await bench.ask("/api/v1/keys")).headers).toMatchObject(left("20s", 4));
  bench.clock.advance(500);
  expect((await asAnthropic()).headers).toMatchObject({
    "anthropic-ratelimit-requests-limit": "6",
    "anthropic-ratelimit-requests-remaining": "3",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:30.000Z",
  });
  expect((await bench.ask("/v1/none")).headers).toMatchObject(left("39.5s", 2));
  await bench.ask();
  await bench.ask();
  const [openai, api, anthropic] = [await bench.ask(), await bench.ask("/api/v1/keys"), await asAnthropic()];
  for (const refused of [openai, api, anthropic])
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "10" } });
  expect(openai.headers).toMatchObject(left("59.5s", 0));
  expect(openai.json).toMatchObject({ error: { type: "rate_limit_error", code: "rate_limited" } });
  expect(api.headers).toMatchObject({
    ...left("59.5s", 0),
    "content-type": expect.stringMatching(/^application\/problem\+json\b/),
  });
  expect(api.json).toMatchObject({ status: 429, code: "rate_limited" });
  expect(anthropic.headers).toMatchObject({ "anthropic-ratelimit-requests-remaining": "0" });
  expect(anthropic.json).toMatchObject({ type: "error", error: { type: "rate_limit_error" } });
});

test("[I14] a key's own limits stand in the place of what the upstream tells of the server's", async () => {
  await using bench = await limited({ requests_per_minute: 5 });
  const headers = {
    "content-type": "application/json",
    "x-ratelimit-limit-requests": "9999",
    "x-ratelimit-limit-tokens": "8",
  };
  bench.upstream.behave({ kind: "raw", headers, chunks: ["{}"] });
  const call = (key: string) =>
    bench.claviger.call({ method: "POST", path: "/v1/chat/completions", headers: bearer(key), body: chat() });
  expect((await call(bench.limitedKey)).headers).toMatchObject({
    "x-ratelimit-limit-requests": "5",
    "x-ratelimit-limit-tokens": "8",
  });
  expect((await call(bench.key)).headers).toMatchObject({ "x-ratelimit-limit-requests": "9999" });
});

test("[I14] the official OpenAI client waits as long as it is told, and then gets its answer", async () => {
  await using bench = await limited({ requests_per_minute: 60 });
  expect(await bench.atOnce()).toBe(60);
  const client = new OpenAI({ baseURL: `${bench.claviger.url}/v1`, apiKey: bench.limitedKey, maxRetries: 0 });
  const refused = await client.chat.completions.create(chat()).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
  const started = performance.now();
  const answer = client.chat.completions.create(chat(), { maxRetries: 1 });
  await bench.refusals(CLIENTS - 60 + 2);
  bench.clock.advance(1000);
  expect((await answer).choices).toHaveLength(1);
  expect(performance.now() - started).toBeGreaterThan(990);
});

test("[I14] the official Anthropic client waits as long as it is told, and then gets its answer", async () => {
  await using bench = await limited({ requests_per_minute: 60 }, "anthropic");
  expect(await bench.atOnce()).toBe(60);
  const client = new Anthropic({ baseURL: bench.claviger.url, apiKey: bench.limitedKey, maxRetries: 0 });
  const asked = { ...message(), messages: [{ role: "user" as const, content: "hello" }] };
  const refused = await client.messages.create(asked).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Anthropic.RateLimitError);
  const started = performance.now();
  const answer = client.messages.create(asked, { maxRetries: 1 });
  await bench.refusals(CLIENTS - 60 + 2);
  bench.clock.advance(1000);
  expect((await answer).content).toHaveLength(1);
  expect(performance.now() - started).toBeGreaterThan(990);
});

test.each([
  [{ requests_per_minute: 0 }, "bad_request"],
  [{ requests_per_minute: 1.5 }, "bad_request"],
  [{ requests_per_minute: "5" }, "bad_request"],
  [{ requests_per_minute: 1_000_001 }, "bad_request"],
  [{ concurrency: -1 }, "bad_request"],
  [{ concurrency: null }, "bad_request"],
  [{ tokens_per_minute: 0 }, "bad_request"],
  [{ tokens_per_minute: 100_000_000_001 }, "bad_request"],
  [{ tokens_per_day: 1.5 }, "bad_request"],
  [{ tokens_per_day: 1_000_000_000_001 }, "bad_request"],
  [{ spend_usd_per_month: 0 }, "bad_request"],
  [{ spend_usd_per_month: 1_000_000.5 }, "bad_request"],
  [{ spend_usd_per_month: 0.000_000_000_5 }, "bad_request"],
  [{ spend_usd_per_month: "10" }, "bad_request"],
  [{ requests_per_hour: 10 }, "unknown_field"],
  [[], "bad_request"],
])("[H3] the limits %j are refused, and there is no key", async (limits, code) => {
  await using claviger = await startClaviger();
  const body = { name: "app", permissions: ["gateway"], limits };
  const answer = await claviger.control({ method: "POST", path: "/api/v1/keys", body });
  expect(answer).toMatchObject({ status: 400, json: { code } });
  expect((await claviger.control({ path: "/api/v1/keys" })).json).toMatchObject({ data: [] });
});

test("[H3][I10] limits are answered, listed, and held after a restart", async () => {
  await using first = await startClaviger({ clock: new FakeClock() });
  const limits = {
    requests_per_minute: 1,
    concurrency: 4,
    tokens_per_minute: 100_000_000_000,
    tokens_per_day: 1_000_000_000_000,
    spend_usd_per_month: 999_999.999_999_999,
  };
  const { key } = await first.issueKey("app", ["gateway"], limits);
  expect((await first.control({ path: "/api/v1/keys" })).json).toMatchObject({
    data: [{ name: "app", limits }],
  });
  await first.app.close();
  await using again = await startClaviger({ dataDir: first.dataDir, clock: new FakeClock() });
  expect((await again.control({ path: "/api/v1/keys" })).json).toMatchObject({
    data: [{ name: "app", limits }],
  });
  const ask = () => again.call({ path: "/v1/models", headers: bearer(key) });
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 429]);
});
