import { expect, test } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import { chat, openChat, readAll, startBench } from "#test/gateway/bench.ts";

const FIRST = 'data: {"choices":[{"delta":{"content":"H"}}]}\n\n';
const REST = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const slow = (ending: Promise<void>) => ({
  kind: "slow" as const,
  type: "text/event-stream",
  chunks: [FIRST, REST],
  until: ending,
});

/** A server in front of a slow stream, and a key that may have two requests running. */
async function busy() {
  const bench = await startBench({ clock: new FakeClock() });
  const limits = { concurrency: 2, requests_per_minute: 1000 };
  const { key } = await bench.claviger.issueKey("busy", ["gateway"], limits);
  const ending = Promise.withResolvers<void>();
  bench.upstream.behave(slow(ending.promise));
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const ask = (path = "/v1/models", more: { method?: string; body?: unknown } = {}) =>
    bench.claviger.call({ path, headers, ...more });
  const clients = new Set<ReturnType<typeof openChat>["outgoing"]>();
  const open = async () => {
    const { outgoing, head } = openChat({ ...bench, key }, chat({ stream: true }));
    clients.add(outgoing);
    outgoing.on("error", () => undefined);
    return { outgoing, answer: await head };
  };
  /** How many more may run now: each of these is a stream that is left open. */
  const fill = async () => {
    for (let opened = 0; ; opened++) {
      const { outgoing, answer } = await open();
      if (answer.statusCode === 200) continue;
      expect(answer.statusCode).toBe(429);
      outgoing.destroy();
      return opened;
    }
  };
  const dispose = () => {
    // A server that is closed waits for its open streams.
    for (const client of clients) client.destroy();
    return bench[Symbol.asyncDispose]();
  };
  return { ...bench, ask, open, fill, end: ending.resolve, [Symbol.asyncDispose]: dispose };
}

/** Asks until the server has seen that a request is over. */
async function untilAnswered(bench: Awaited<ReturnType<typeof busy>>): Promise<void> {
  while ((await bench.ask()).status === 429);
}

test("[I14] one more than may run at once is refused, on /api too, with retry-after and at no cost", async () => {
  await using bench = await busy();
  await Promise.all([bench.open(), bench.open()]);
  for (const path of ["/v1/models", "/api/v1/usage"])
    expect(await bench.ask(path)).toMatchObject({
      status: 429,
      headers: { "retry-after": "1", "x-ratelimit-remaining-requests": "998" },
    });
});

test("[I14] of 64 streams opened at once exactly two run", async () => {
  await using bench = await busy();
  const opened = await Promise.all(Array.from({ length: 64 }, bench.open));
  expect(opened.filter(({ answer }) => answer.statusCode === 200)).toHaveLength(2);
});

test("[I14] a client that leaves its stream midway gives back its place, once", async () => {
  await using bench = await busy();
  const [left] = await Promise.all([bench.open(), bench.open()]);
  left.outgoing.destroy();
  await untilAnswered(bench);
  expect(await bench.fill()).toBe(1);
});

test("[I14] streams that end by themselves give back their places, once", async () => {
  await using bench = await busy();
  const streams = await Promise.all([bench.open(), bench.open()]);
  bench.end();
  for (const { answer } of streams) expect(await readAll(answer)).toContain("[DONE]");
  await untilAnswered(bench);
  bench.upstream.behave(slow(new Promise(() => undefined)));
  expect(await bench.fill()).toBe(2);
});

test("[I14] streams the upstream cuts give back their places, once", async () => {
  await using bench = await busy();
  bench.upstream.behave({ kind: "cut", afterBytes: 40 });
  for (let cut = 0; cut < 5; cut++) {
    const { answer } = await bench.open();
    await readAll(answer);
    await untilAnswered(bench);
  }
  bench.upstream.behave(slow(new Promise(() => undefined)));
  expect(await bench.fill()).toBe(2);
});

test("[I14] requests that are refused hold no place afterwards, whatever refused them", async () => {
  await using bench = await busy();
  for (const path of ["/v1/none", "/api/v1/keys", "/api/v1/none", "/x/none/", "/v1/models/none", "/api/%ff"])
    expect((await bench.ask(path)).status).toBeGreaterThanOrEqual(400);
  for (const body of ["{", chat({ model: "sim" }), chat({ pad: "x".repeat(70_000), model: "" })]) {
    const asked = await bench.ask("/v1/chat/completions", { method: "POST", body });
    expect(asked.status).toBeGreaterThanOrEqual(400);
  }
  await untilAnswered(bench);
  expect(await bench.fill()).toBe(2);
});

test("[I14] refusals of a key with places full take none and give none", async () => {
  await using bench = await busy();
  const [left] = await Promise.all([bench.open(), bench.open()]);
  for (let refused = 0; refused < 10; refused++) expect((await bench.ask()).status).toBe(429);
  expect(await bench.fill()).toBe(0);
  left.outgoing.destroy();
  await untilAnswered(bench);
  expect(await bench.fill()).toBe(1);
});
