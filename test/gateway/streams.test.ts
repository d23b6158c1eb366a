import { request as httpRequest } from "node:http";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import { type Bench, chat, openChat, readAll, rowsWhen, startBench, until } from "./bench.ts";

const clientOf = (bench: Bench) =>
  new OpenAI({ baseURL: `${bench.claviger.url}/v1`, apiKey: bench.key, maxRetries: 0 });
const STREAMED = chat({ stream: true });
const event = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

async function ask(
  bench: Bench,
  body: object | string = STREAMED,
  { path = "/v1/chat/completions", type = "application/json" } = {},
) {
  return bench.claviger.call({
    method: "POST",
    path,
    headers: { authorization: `Bearer ${bench.key}`, "content-type": type },
    body,
  });
}

test("[G6] a stream cut after any byte raises in the client, and never looks complete", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const whole = (await ask(bench)).text;
  for (let afterBytes = 0; afterBytes < whole.length; afterBytes += 1) {
    bench.upstream.behave({ kind: "cut", afterBytes });
    const raised = await client.chat.completions
      .create({ ...chat(), stream: true })
      .then((stream) => Array.fromAsync(stream))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(raised, `cut after ${afterBytes} bytes`).toBeInstanceOf(OpenAI.APIError);
  }
}, 60_000);

test("[G6] a cut ends with an error event on a line of its own, after whole events only, without [DONE]", async () => {
  await using bench = await startBench();
  for (const broken of [false, true]) {
    for (const line of ["\n", "\r", "\r\n"]) {
      const first = event("é").replaceAll("\n", line);
      const half = Buffer.from(`data: {"choices":[{"delta":{"content":"é`).subarray(0, -1);
      bench.upstream.behave({ kind: "raw", chunks: [first, half], broken });
      const { status, text } = await ask(bench);
      expect(status).toBe(200);
      expect(text.startsWith(first)).toBe(true);
      expect(text.slice(first.length)).toMatch(/^data: \{"error":\{.*\}\}\n\n$/);
      expect(text).not.toContain("[DONE]");
    }
  }
  const [row] = await rowsWhen(bench.claviger, 6);
  expect(row).toMatchObject({ status: 502, streamed: true });
});

test("[G6] a stream that ends without a finish event is a cut; one with a finish reason and no [DONE] is not", async () => {
  await using bench = await startBench();
  bench.upstream.behave({ kind: "raw", chunks: [event("a"), event("b")] });
  expect((await ask(bench)).text).toContain('data: {"error":');
  bench.upstream.behave({ kind: "raw", chunks: [event("a"), event("", "stop")] });
  expect((await ask(bench)).text).toBe(event("a") + event("", "stop"));
});

test("[G6] a stream of several choices is finished when each of them is, and not with the first", async () => {
  await using bench = await startBench();
  const end = (index: number) =>
    `data: ${JSON.stringify({ choices: [{ index, delta: {}, finish_reason: "stop" }] })}\n\n`;
  const both = `data: ${JSON.stringify({ choices: [0, 1].map((index) => ({ index, finish_reason: "stop" })) })}\n\n`;
  const three = chat({ stream: true, n: 3 });
  for (const [chunks, isWhole] of [
    [[event("a"), end(0)], false],
    [[event("a"), end(0), end(0), end(0)], false],
    [[event("a"), both], false],
    [[event("a"), end(2), end(7), end(1), end(-1)], false],
    [[event("a"), end(2), end(0), end(1)], true],
    [[event("a"), both, end(2)], true],
    [[event("a"), end(0), "data: [DONE]\n\n"], true],
  ] as const) {
    bench.upstream.behave({ kind: "raw", chunks });
    const { text } = await ask(bench, three);
    expect(text.startsWith(chunks.join(""))).toBe(true);
    expect(text.includes('data: {"error":'), chunks.join("")).toBe(!isWhole);
  }
  // What is no number of choices counts as one; of two numbers the larger counts.
  bench.upstream.behave({ kind: "raw", chunks: [event("a"), end(0)] });
  for (const n of ["1", "null", '"3"', "-3", "0", "1.5", "1e99"])
    expect((await ask(bench, JSON.stringify(STREAMED).replace("{", `{"n":${n},`))).text, n).not.toContain(
      "error",
    );
  for (const twice of ['"n":1,"n":2,', '"n":2,"\\u006e":1,', '"n":2e0,'])
    expect((await ask(bench, JSON.stringify(STREAMED).replace("{", `{${twice}`))).text, twice).toContain(
      "error",
    );
});

test("[G6] a stream of several images is finished when each of them is", async () => {
  await using bench = await startBench();
  const type = "image_generation.completed";
  const image = `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: "aaaa" })}\n\n`;
  const model = STREAMED.model;
  const field = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const ways = [
    (n: number) => ask(bench, { model, prompt: "p", stream: true, n }, { path: "/v1/images/generations" }),
    (n: number) =>
      ask(bench, `${field("model", model)}${field("stream", "true")}${field("n", String(n))}--b--\r\n`, {
        path: "/v1/images/edits",
        type: "multipart/form-data; boundary=b",
      }),
  ];
  for (const way of ways)
    for (const [n, images, isWhole] of [
      [1, 1, true],
      [2, 1, false],
      [2, 2, true],
    ] as const) {
      bench.upstream.behave({ kind: "raw", chunks: Array.from({ length: images }, () => image) });
      const { text } = await way(n);
      expect(text.startsWith(image.repeat(images))).toBe(true);
      expect(text.includes('"error"'), `${images} of ${n}`).toBe(!isWhole);
    }
});

test("[G6] an empty, an error-first and a non-stream answer are 502 before any byte, and say why", async () => {
  await using bench = await startBench();
  const sse = { "content-type": "text/event-stream" };
  const json = { "content-type": "application/json" };
  const cases = [
    [sse, [], "empty"],
    [sse, [": wait\n\n", ": wait\n\n"], "empty"],
    [sse, ["data: [DONE]\n\n"], "empty"],
    [sse, [": wait\n\n", 'data: {"error":{"message":"overloaded"}}\n\n'], "overloaded"],
    [sse, ['event: error\ndata: {"message":"no"}\n\n', event("x")], "no"],
    [json, ['{"error":{"message":"out of quota"}}'], "out of quota"],
    [json, ["{}"], "event stream"],
    [sse, [`: ${"x".repeat(70_000)}\n\n`], "comments"],
  ] as const;
  for (const [headers, chunks, why] of cases) {
    bench.upstream.behave({ kind: "raw", headers, chunks });
    const answer = await ask(bench);
    expect(answer.status).toBe(502);
    expect(answer.json).toMatchObject({ error: { type: "upstream_error", code: "upstream_failed" } });
    expect(answer.text).toContain(why);
  }
});

test("[G6] events under a wrong content type are still a stream", async () => {
  await using bench = await startBench();
  const chunks = ["da", `ta${event("a").slice(4)}`, event("", "stop")];
  bench.upstream.behave({ kind: "raw", headers: { "content-type": "text/plain" }, chunks });
  const answer = await ask(bench);
  expect(answer.headers["content-type"]).toContain("text/event-stream");
  expect(answer.text).toBe(event("a") + event("", "stop"));
});

test("[G6] comments are held until the first event was judged, but not for ever", async () => {
  const clock = new FakeClock();
  await using bench = await startBench({ clock });
  const hold = Promise.withResolvers<void>();
  const comment = ": thinking\n\n";
  bench.upstream.behave({ kind: "raw", chunks: [comment, event("", "stop")] });
  expect((await ask(bench)).text).toBe(comment + event("", "stop"));
  bench.upstream.behave({ kind: "slow", chunks: [comment, comment], until: hold.promise });
  const { head } = openChat(bench, STREAMED);
  await bench.upstream.arrived(1);
  await until(() => bench.upstream.wrote >= comment.length);
  clock.advance(30_000);
  hold.resolve();
  const text = await readAll(await head);
  expect(text.startsWith(comment + comment)).toBe(true);
  expect(text.slice(2 * comment.length)).toMatch(/^data: \{"error":/);
});

test("[G6] an event reaches the client while the upstream still holds the next", async () => {
  await using bench = await startBench();
  const hold = Promise.withResolvers<void>();
  bench.upstream.behave({
    kind: "slow",
    chunks: [event("now"), event("later", "stop")],
    until: hold.promise,
  });
  const answer = await openChat(bench, STREAMED).head;
  const first = await new Promise<Buffer>((resolve) => answer.once("data", resolve));
  expect(first.toString()).toBe(event("now"));
  hold.resolve();
  expect(await readAll(answer)).toContain("later");
});

test("[G6] an event of 10 MB passes unchanged", async () => {
  await using bench = await startBench();
  const big = event("x".repeat(10_000_000));
  bench.upstream.behave({ kind: "raw", chunks: [big, event("", "stop"), "data: [DONE]\n\n"] });
  const { text } = await ask(bench);
  expect(text === `${big}${event("", "stop")}data: [DONE]\n\n`).toBe(true);
  bench.upstream.behave({ kind: "raw", chunks: [big.slice(0, 5_000_000)], broken: true });
  const cut = (await ask(bench)).text;
  expect(cut.slice(cut.lastIndexOf("x") + 1)).toMatch(/^\n\ndata: \{"error":\{.*\}\}\n\n$/);
}, 30_000);

test("[G6] [G7] a client that leaves closes its upstream within a second, before and after the answer began, and is one row 499", async () => {
  await using bench = await startBench();
  const never = new Promise<void>(() => undefined);
  for (const [index, after] of (["request", 200] as const).entries()) {
    bench.upstream.behave({ kind: "stall", after, until: never });
    const { outgoing, head } = openChat(bench, STREAMED);
    const seen = await bench.upstream.arrived(index);
    if (after !== "request") await head;
    const leftAt = performance.now();
    outgoing.destroy();
    await seen.closed;
    expect(performance.now() - leftAt).toBeLessThan(1000);
    const rows = await rowsWhen(bench.claviger, index + 1);
    expect(rows).toHaveLength(index + 1);
    expect(rows[0]?.status).toBe(499);
  }
});

test("[G6] a client that leaves while it still sends its body reaches no upstream and is one row 499", async () => {
  await using bench = await startBench();
  const headers = { authorization: `Bearer ${bench.key}`, "content-type": "application/json" };
  const half = httpRequest(`${bench.claviger.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, "content-length": "1000", expect: "100-continue" },
  });
  half.on("error", () => undefined);
  half.flushHeaders();
  await new Promise((resolve) => half.once("continue", resolve));
  half.write('{"model"');
  half.destroy();
  const rows = await rowsWhen(bench.claviger, 1);
  expect(rows.map(({ status }) => status)).toEqual([499]);
  expect(bench.upstream.requests).toHaveLength(0);
  await until(() => bench.claviger.logged().includes('"route":"/v1/chat/completions","status":499'));
});

test.each([
  { what: "bytes", events: false },
  { what: "events", events: true },
])("[G6] a client that does not read $what holds the upstream back, and reads all once it does", async ({
  events,
}) => {
  await using bench = await startBench();
  const bytes = 200 * 1024 * 1024;
  bench.upstream.behave({ kind: "flood", bytes, events });
  const answer = await openChat(bench, events ? STREAMED : chat()).head;
  answer.pause();
  let last = -1;
  // Standing still for many turns of the loop, everything being on this machine, is standing still.
  for (let still = 0; still < 200; still = bench.upstream.flooded === last ? still + 1 : 0) {
    last = bench.upstream.flooded;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(bench.upstream.flooded).toBeLessThan(32 * 1024 * 1024);
  let received = 0;
  let tail = "";
  for await (const chunk of answer) {
    received += Buffer.from(chunk).length;
    tail = `${tail}${Buffer.from(chunk).toString("latin1")}`.slice(-400);
  }
  // A chat stream that nothing ended was cut.
  const cut = events ? tail.slice(tail.lastIndexOf("data: ")) : "";
  expect(cut).toMatch(events ? /^data: \{"error":/ : /^$/);
  expect(received - cut.length).toBe(bytes);
}, 30_000);
