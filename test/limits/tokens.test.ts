import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { message } from "#test/gateway/anthropic-bench.ts";
import { chat, openChat, readAll, rowsWhen } from "#test/gateway/bench.ts";
import { MESSAGE_TOKENS } from "#test/upstream-anthropic.ts";
import { asLimited, inputReserve, PRICES, startLimited, using } from "./bench.ts";

const HOUR = 3_600_000;
const MORE = { max_tokens: 100 };
const RESERVE = inputReserve(MORE) + 100;
const never = new Promise<void>(() => undefined);
const remaining = ({ headers }: { headers: Record<string, unknown> }) =>
  Number(headers["x-ratelimit-remaining-tokens"]);

test("[I14] tokens a minute: an answer tells what is left with its reserve taken, a refusal when there is some again", async () => {
  await using bench = await startLimited({ tokens_per_minute: 600, requests_per_minute: 100 });
  bench.upstream.behave(using(200, 500));
  expect(await bench.ask(MORE)).toMatchObject({
    status: 200,
    headers: {
      "x-ratelimit-limit-tokens": "600",
      "x-ratelimit-remaining-tokens": String(600 - RESERVE),
      "x-ratelimit-reset-tokens": `${RESERVE / 10}s`,
      "x-ratelimit-remaining-requests": "99",
    },
  });
  // It used 100 more than the minute has, and ten come back a second.
  const refused = await bench.ask(MORE);
  expect(refused).toMatchObject({
    status: 429,
    headers: {
      "retry-after": "11",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "70s",
      "x-ratelimit-remaining-requests": "99",
    },
    json: {
      error: { type: "rate_limit_error", code: "rate_limited", message: expect.stringContaining("minute") },
    },
  });
  expect(refused.headers["x-should-retry"]).toBeUndefined();
  bench.clock.advance(10_099);
  expect((await bench.ask(MORE)).status).toBe(429);
  bench.clock.advance(1);
  expect((await bench.ask(MORE)).status).toBe(200);
});

test("[I14] what an upstream tells of the server's own tokens is not passed to a key with a limit of its own", async () => {
  await using bench = await startLimited({ tokens_per_minute: 600 });
  const headers = { "content-type": "application/json", "x-ratelimit-limit-tokens": "8" };
  bench.upstream.behave({ kind: "raw", headers, chunks: ["{}"] });
  expect((await bench.ask(MORE)).headers["x-ratelimit-limit-tokens"]).toBe("600");
  expect((await bench.ask(MORE, { key: bench.key })).headers["x-ratelimit-limit-tokens"]).toBe("8");
});

test("[I14] Anthropic's dialect tells and refuses in its own words", async () => {
  await using bench = await startLimited(
    { tokens_per_minute: 60, tokens_per_day: 60 },
    { dialect: "anthropic" },
  );
  const path = "/v1/messages";
  const first = await bench.ask(message(), { path });
  expect(first).toMatchObject({
    status: 200,
    headers: { "anthropic-ratelimit-tokens-limit": "60", "anthropic-ratelimit-tokens-remaining": "0" },
  });
  const used = MESSAGE_TOKENS.input + MESSAGE_TOKENS.output;
  for (let total = used; total < 60; total += used) {
    bench.clock.advance(60_000);
    expect((await bench.ask(message(), { path })).status).toBe(200);
  }
  const refused = await bench.ask(message(), { path });
  expect(refused).toMatchObject({
    status: 429,
    headers: {
      "retry-after": "60",
      "x-should-retry": "false",
      "anthropic-ratelimit-tokens-limit": "60",
      "anthropic-ratelimit-tokens-reset": expect.stringMatching(/^2026-01-01T00:0\d:\d\d\.\d{3}Z$/),
    },
    json: {
      type: "error",
      error: { type: "rate_limit_error", details: { error_code: "quota_exhausted" } },
    },
  });
  // Counting tokens uses none.
  expect((await bench.ask(message(), { path: "/v1/messages/count_tokens" })).status).toBe(200);
});

test("[I14] tokens a day: beyond them no request until midnight UTC, which the refusal names", async () => {
  await using bench = await startLimited({ tokens_per_day: 1000, requests_per_minute: 10 });
  bench.clock.advance(22 * HOUR);
  bench.upstream.behave(using(400, 100));
  expect((await bench.ask(MORE)).status).toBe(200);
  expect((await bench.ask(MORE)).status).toBe(200);
  expect(await bench.ask(MORE)).toMatchObject({
    status: 429,
    headers: {
      "retry-after": "60",
      "x-should-retry": "false",
      // It took nothing of the requests either.
      "x-ratelimit-remaining-requests": "8",
    },
    json: {
      error: {
        type: "insufficient_quota",
        code: "quota_exhausted",
        message: "The key has used its 1000 tokens of this day; the next begins at 2026-01-02T00:00:00.000Z.",
      },
    },
  });
  expect(bench.upstream.requests).toHaveLength(2);
  const models = { path: "/v1/models", headers: { authorization: `Bearer ${bench.limitedKey}` } };
  expect((await bench.claviger.call(models)).status).toBe(200);
  bench.clock.advance(2 * HOUR - 1);
  expect(await bench.ask(MORE)).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
  bench.clock.advance(1);
  expect((await bench.ask(MORE)).status).toBe(200);
});

test("[I14] spend a month: beyond it no request until the first of the next, UTC", async () => {
  await using bench = await startLimited({ spend_usd_per_month: 0.003 });
  bench.upstream.behave(using(500, 100));
  expect((await bench.ask(MORE)).status).toBe(200);
  expect((await bench.ask(MORE)).status).toBe(200);
  expect(await bench.ask(MORE)).toMatchObject({
    status: 429,
    json: {
      error: {
        type: "insufficient_quota",
        message:
          "The key has spent its 0.003 US dollars of this month; the next begins at 2026-02-01T00:00:00.000Z.",
      },
    },
  });
  bench.clock.advance(31 * 24 * HOUR - 1);
  expect((await bench.ask(MORE)).status).toBe(429);
  bench.clock.advance(1);
  expect((await bench.ask(MORE)).status).toBe(200);
});

test("[I14] a model without a price spends nothing", async () => {
  await using bench = await startLimited({ spend_usd_per_month: 0.000_000_001 }, { priced: false });
  for (let asked = 0; asked < 3; asked++) expect((await bench.ask(MORE)).status).toBe(200);
});

test("[I14] a key with a limit is held to it beside one without, and beside another", async () => {
  await using bench = await startLimited({ tokens_per_day: 5, spend_usd_per_month: 1 });
  const other = await bench.claviger.issueKey("other", ["gateway"], { tokens_per_day: 6 });
  const statuses = async (key: string) => [
    (await bench.ask(MORE, { key })).status,
    (await bench.ask(MORE, { key })).status,
    (await bench.ask(MORE, { key })).status,
  ];
  expect(await statuses(bench.limitedKey)).toEqual([200, 429, 429]);
  expect(await statuses(bench.key)).toEqual([200, 200, 200]);
  expect(await statuses(other.key)).toEqual([200, 200, 429]);
});

test("[I14] day and month are held over a restart; a minute begins anew", async () => {
  await using first = await startLimited({ tokens_per_day: 1000, spend_usd_per_month: 0.003 });
  const minute = await first.claviger.issueKey("minute", ["gateway"], { tokens_per_minute: 1000 });
  first.upstream.behave(using(50, 950));
  for (const key of [first.limitedKey, minute.key]) {
    expect((await first.ask(MORE, { key })).status).toBe(200);
    expect((await first.ask(MORE, { key })).status).toBe(429);
  }
  await first.claviger.app.close();
  const afterRestart = async (hours: number, key: string) => {
    first.clock.advance(hours * HOUR);
    const { dataDir } = first.claviger;
    await using again = await startClaviger({ dataDir, clock: first.clock, yaml: PRICES });
    const headers = { authorization: `Bearer ${key}` };
    return await again.call({ method: "POST", path: "/v1/chat/completions", headers, body: chat(MORE) });
  };
  expect((await afterRestart(0, minute.key)).status).toBe(200);
  expect((await afterRestart(0, first.limitedKey)).text).toContain("tokens of this day");
  expect((await afterRestart(24, first.limitedKey)).text).toContain("US dollars of this month");
  expect((await afterRestart(31 * 24, first.limitedKey)).status).toBe(200);
});

/** What each end of a request leaves of 1000 tokens a minute. */
async function leftAfter(
  end: (bench: Awaited<ReturnType<typeof startLimited>>) => Promise<unknown>,
): Promise<number> {
  await using bench = await startLimited({ tokens_per_minute: 1000 });
  await end(bench);
  bench.upstream.behave(using(1, 1));
  const next = await bench.ask(MORE);
  expect(next.status).toBe(200);
  return remaining(next) + RESERVE;
}

test("[I14] what the upstream refused, or never got, is given back whole", async () => {
  const refused = (status: number) =>
    leftAfter(async ({ upstream, ask }) => {
      upstream.behave({ kind: "error", status });
      await ask(MORE);
    });
  for (const status of [400, 401, 429, 500]) expect(await refused(status)).toBe(1000);
  const unreachable = leftAfter(async ({ claviger, ask }) => {
    await claviger.addProvider("gone", "http://127.0.0.1:1/v1");
    expect((await ask({ ...MORE, model: "gone/m" })).status).toBe(502);
  });
  expect(await unreachable).toBe(1000);
});

test("[I14] an answer that tells no figures, or breaks before any, counts as it was set aside", async () => {
  const silent = leftAfter(async ({ upstream, ask }) => {
    upstream.behave({ kind: "raw", headers: { "content-type": "application/json" }, chunks: ["{}"] });
    expect((await ask(MORE)).status).toBe(200);
  });
  const broken = leftAfter(async ({ upstream, ask }) => {
    upstream.behave({ kind: "cut", afterBytes: 0 });
    expect((await ask(MORE)).status).toBe(502);
  });
  expect([await silent, await broken]).toEqual([1000 - RESERVE, 1000 - RESERVE]);
});

test("[I14] who leaves before any figure has used what was set aside; who leaves a stream, what had passed", async () => {
  const before = leftAfter(async (bench) => {
    bench.upstream.behave({ kind: "stall", after: "request", until: never });
    const { outgoing } = openChat(asLimited(bench), chat(MORE));
    outgoing.on("error", () => undefined);
    await bench.upstream.arrived(0);
    outgoing.destroy();
    await rowsWhen(bench.claviger, 1);
  });
  expect(await before).toBe(1000 - RESERVE);
  let counted = 0;
  const midway = leftAfter(async (bench) => {
    const event = `data: {"choices":[{"delta":{"content":"${"x".repeat(40)}"}}]}\n\n`;
    bench.upstream.behave({ kind: "slow", chunks: [event, ""], until: never });
    const { outgoing, head } = openChat(asLimited(bench), chat({ stream: true, ...MORE }));
    outgoing.on("error", () => undefined);
    const answer = await head;
    answer.once("data", () => outgoing.destroy());
    await readAll(answer);
    const [row] = await rowsWhen(bench.claviger, 1);
    expect(row).toMatchObject({ status: 499, output_tokens: 10 });
    counted = (row?.input_tokens ?? 0) + 10;
  });
  expect(await midway).toBe(1000 - counted);
});

test("[I14] requests that run hold what they set aside: another is told to come back soon, and then passes", async () => {
  await using bench = await startLimited({ tokens_per_day: RESERVE });
  const going = Promise.withResolvers<void>();
  bench.upstream.behave({ kind: "stall", after: "request", until: going.promise });
  const first = bench.ask(MORE);
  await bench.upstream.arrived(0);
  expect(await bench.ask(MORE)).toMatchObject({
    status: 429,
    headers: { "retry-after": "1" },
    json: { error: { code: "rate_limited", message: expect.stringContaining("running") } },
  });
  going.resolve();
  expect((await first).status).toBe(200);
  bench.upstream.behave({ kind: "ok" });
  expect((await bench.ask(MORE)).status).toBe(200);
});

test("[I14] what running requests may cost is held of the month, at the price of the model", async () => {
  const mostNano = 1000 * (inputReserve(MORE) + 10 * MORE.max_tokens);
  const refusedOf = async (nano: number) => {
    await using bench = await startLimited({ spend_usd_per_month: nano / 1e9 });
    const going = Promise.withResolvers<void>();
    bench.upstream.behave({ kind: "stall", after: "request", until: going.promise });
    const first = bench.ask(MORE);
    await bench.upstream.arrived(0);
    const second = bench.ask(MORE);
    const passed = await Promise.race([second, bench.upstream.arrived(1)]);
    going.resolve();
    expect((await first).status).toBe(200);
    return "status" in passed ? passed.text : "passed";
  };
  expect(await refusedOf(mostNano)).toContain("use up the key's spend of this month");
  expect(await refusedOf(mostNano + 1)).toBe("passed");
});

/** Tokens of a million that a request holds while it runs. */
async function heldBy(body: object, path = "/v1/chat/completions"): Promise<number> {
  await using bench = await startLimited({ tokens_per_minute: 1_000_000 });
  const headers = { authorization: `Bearer ${bench.limitedKey}` };
  const answer = await bench.claviger.call({ method: "POST", path, headers, body });
  return 1_000_000 - remaining(answer);
}

test("[I14] without max_tokens a model's cap is set aside: its context window, or what any model writes at most", async () => {
  const body = chat();
  expect(await heldBy(body)).toBe(inputReserve({}) + 131_072);
  const known = { ...body, model: "sim/gpt-4" };
  expect(await heldBy(known)).toBe(Math.ceil(JSON.stringify(known).length / 4) + 8192);
});

test("[I14] what writes no text has its input set aside, a form nothing", async () => {
  const body = { model: "sim/sim-1", input: "x".repeat(400) };
  const input = Math.ceil(JSON.stringify(body).length / 4);
  for (const path of ["/v1/embeddings", "/v1/images/generations", "/v1/audio/speech"])
    expect(await heldBy(body, path)).toBe(input);
  await using bench = await startLimited({ tokens_per_minute: 1000 });
  const form = '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nsim/sim-1\r\n--b--\r\n';
  const answer = await bench.claviger.call({
    method: "POST",
    path: "/v1/audio/transcriptions",
    headers: {
      authorization: `Bearer ${bench.limitedKey}`,
      "content-type": "multipart/form-data; boundary=b",
    },
    body: form,
  });
  expect([answer.status, remaining(answer)]).toEqual([200, 1000]);
});
