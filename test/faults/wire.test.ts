import { request as httpRequest, type IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { COMPLETION, event, STREAM, usualBytes } from "./answers.ts";
import { type Misbehaviour, startRawUpstream, whole } from "./raw-upstream.ts";

const MODEL = "sim/sim-1";
const MESSAGES = [{ role: "user" as const, content: "hello" }];

async function startBench(misbehave: Misbehaviour) {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startRawUpstream(misbehave));
  const claviger = stack.use(await startClaviger());
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const client = new OpenAI({ baseURL: `${claviger.url}/v1`, apiKey: key, maxRetries: 0 });
  return { upstream, claviger, key, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const post = (claviger: TestClaviger, key: string, stream: boolean) =>
  claviger.call({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body: { model: MODEL, messages: MESSAGES, stream },
  });

function openStream(url: string, key: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${url}/v1/chat/completions`, { method: "POST", headers });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end(JSON.stringify({ model: MODEL, messages: MESSAGES, stream: true }));
  });
}

/** What the client raised; undefined when it took the answer for complete. */
async function raisedBy(client: OpenAI, stream: boolean): Promise<unknown> {
  const body = { model: MODEL, messages: MESSAGES };
  try {
    if (stream) await Array.fromAsync(await client.chat.completions.create({ ...body, stream }));
    else await client.chat.completions.create(body);
    return undefined;
  } catch (error) {
    return error;
  }
}

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

/** The bytes of buffers that something still holds. */
function heldBytes(): number {
  // What the first run finds is counted out by the second.
  for (let run = 0; run < 2; run += 1) if (typeof collectGarbage === "function") collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test("[G6] an answer closed or reset after any byte on the wire, head and framing included, raises", async () => {
  let cutAt = 0;
  let resets = false;
  await using bench = await startBench((socket, { streamed }) => {
    const part = usualBytes(streamed).subarray(0, cutAt);
    if (resets) socket.write(part, () => socket.resetAndDestroy());
    else socket.end(part);
  });
  for (const streamed of [false, true]) {
    const all = usualBytes(streamed);
    // Once the end mark has passed, the stream is complete, whatever becomes of the framing behind it.
    const last = streamed ? all.indexOf("[DONE]") + "[DONE]\n".length : all.length - 1;
    for (cutAt = 0; cutAt <= last; cutAt += 1) {
      resets = cutAt % 2 === 1;
      const raised = await raisedBy(bench.client, streamed);
      expect(raised, `${streamed ? "streamed" : "whole"}, cut after ${cutAt} bytes`).toBeInstanceOf(
        OpenAI.APIError,
      );
    }
    cutAt = all.length;
    resets = false;
    expect(await raisedBy(bench.client, streamed)).toBeUndefined();
  }
}, 60_000);

test("[G3] an answer nobody asked for is not given to the next request on the connection, nor to anybody", async () => {
  const planted = COMPLETION.replace("Hello.", "planted");
  let plants = true;
  await using bench = await startBench((socket) => {
    socket.write(plants ? Buffer.concat([whole(COMPLETION), whole(planted)]) : whole(COMPLETION));
  });
  for (let round = 0; round < 20; round += 1) {
    plants = true;
    expect((await post(bench.claviger, bench.key, false)).text).toBe(COMPLETION);
    plants = false;
    expect((await post(bench.claviger, bench.key, false)).text).toBe(COMPLETION);
  }
  expect(bench.upstream.askedAt).toHaveLength(40);
});

test("[G6] an event of 64 MB passes, and little of it is held at a time", async () => {
  const giant = Buffer.from(event("x".repeat(64 * 1024 * 1024), "stop"));
  const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${giant.length}\r\n\r\n`;
  await using bench = await startBench((socket) => {
    socket.write(head);
    socket.write(giant);
  });
  const before = heldBytes();
  const response = await openStream(bench.claviger.url, bench.key);
  let measuredAt = 0;
  let most = 0;
  let received = 0;
  let same = true;
  for await (const piece of response) {
    const chunk = Buffer.from(piece);
    same &&= giant.compare(chunk, 0, chunk.length, received, received + chunk.length) === 0;
    received += chunk.length;
    if (received - measuredAt < 8 * 1024 * 1024) continue;
    measuredAt = received;
    most = Math.max(most, heldBytes() - before);
  }
  expect([received, same]).toEqual([giant.length, true]);
  expect(measuredAt).toBeGreaterThan(0);
  expect(most).toBeLessThan(8 * 1024 * 1024);
}, 60_000);

test("[G6] a stream that breaks behind its end mark is complete, and nothing is added to it", async () => {
  await using bench = await startBench((socket, { streamed }) => {
    socket.end(usualBytes(streamed).subarray(0, -3));
  });
  const { text } = await post(bench.claviger, bench.key, true);
  expect(text).toBe(STREAM);
});
