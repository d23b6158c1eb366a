import { describe, expect, test } from "vitest";
import { startBench } from "#test/gateway/bench.ts";
import { type RecordedRequest, UPSTREAM_MODEL } from "#test/upstream.ts";
import { usualAnswer } from "#test/upstream-answers.ts";
import { anthropicAnswer, CLAUDE } from "#test/upstream-anthropic.ts";
import { TOOL_CALL } from "#test/upstream-tools.ts";
import { aiSdk } from "./ai-sdk.ts";
import { anthropic } from "./anthropic.ts";
import { type Ask, type Client, STATUSES, type Status } from "./client.ts";
import { eventSource } from "./event-source.ts";
import { Matrix } from "./matrix.ts";
import { openai } from "./openai.ts";

const CLIENTS = [openai, anthropic, ...aiSdk, eventSource];
const FEATURE = {
  chat: "text",
  stream: "text, streamed",
  tool: "tool call",
  streamedTool: "tool call, streamed",
  embed: "embeddings",
  models: "model list",
  abort: "leaving a stream closes the upstream's",
  cut: "a cut stream raises",
  retry: "a 500 with 2 retries",
  refused: "a refused credential with 2 retries",
};
const errorFeature = (status: Status) => `error ${status}`;
const matrix = new Matrix([...Object.values(FEATURE), ...STATUSES.map(errorFeature)]);

async function setUp(client: Client) {
  const bench = await startBench({}, client.dialect);
  const model = `sim/${client.dialect === "openai" ? UPSTREAM_MODEL : CLAUDE}`;
  const ask: Ask = { url: bench.claviger.url, key: bench.key, model };
  return { bench, ask, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}
/** What is sent of a usual stream before an event that tells its end. */
function unfinished(client: Client, request: RecordedRequest | undefined): Buffer {
  if (request === undefined) throw new Error("the upstream was not asked");
  const answer = client.dialect === "openai" ? usualAnswer(request, []) : anthropicAnswer(request, []);
  return answer?.body.subarray(0, -60) ?? Buffer.alloc(0);
}
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => error,
  );

describe.each(CLIENTS)("$name", (client) => {
  const { chat, tool, streamedTool, embed, models } = client;

  if (chat)
    test("[G1] text, whole", async () => {
      await using it = await setUp(client);
      expect(await chat(it.ask)).toBe("Hello.");
      matrix.note(client, FEATURE.chat, "yes");
    });

  test("[G1] text, streamed", async () => {
    await using it = await setUp(client);
    expect((await Array.fromAsync(client.stream(it.ask))).join("")).toBe("Hello.");
    matrix.note(client, FEATURE.stream, "yes");
  });

  if (tool && streamedTool)
    test("[G1] [G4] a tool call, whole and streamed", async () => {
      await using it = await setUp(client);
      expect(await tool(it.ask)).toEqual(TOOL_CALL);
      matrix.note(client, FEATURE.tool, "yes");
      expect(await streamedTool(it.ask)).toEqual(TOOL_CALL);
      matrix.note(client, FEATURE.streamedTool, "yes");
    });

  if (embed)
    test("[G1] embeddings", async () => {
      await using it = await setUp(client);
      expect(await embed(it.ask)).toEqual([0.5, -0.5]);
      matrix.note(client, FEATURE.embed, "yes");
    });

  if (models && chat)
    test("[G1] each model of its list can be called by the name it has there", async () => {
      await using it = await setUp(client);
      const ids = await models(it.ask);
      expect(ids).toContain(it.ask.model);
      for (const model of ids) expect(await chat({ ...it.ask, model })).toBe("Hello.");
      matrix.note(client, FEATURE.models, "yes");
    });

  test("[G6] a client that leaves a stream closes the upstream's", async () => {
    await using it = await setUp(client);
    const { upstream } = it.bench;
    const whole = (await Array.fromAsync(client.stream(it.ask))).join("");
    const after = unfinished(client, upstream.requests[0]).length;
    upstream.behave({ kind: "stall", after, until: new Promise(() => undefined) });
    const leaving = new AbortController();
    const pieces = client.stream({ ...it.ask, signal: leaving.signal })[Symbol.asyncIterator]();
    const first = await pieces.next();
    expect(whole.startsWith(String(first.value))).toBe(true);
    const request = await upstream.arrived(1);
    leaving.abort();
    await request.closed;
    matrix.note(client, FEATURE.abort, "yes");
  });

  test("[G6] a stream that was cut raises", async () => {
    await using it = await setUp(client);
    await Array.fromAsync(client.stream(it.ask));
    const sent = unfinished(client, it.bench.upstream.requests[0]);
    for (const broken of [true, false]) {
      it.bench.upstream.behave({ kind: "raw", chunks: [sent], broken });
      expect(await failureOf(Array.fromAsync(client.stream(it.ask)))).toBeInstanceOf(Error);
    }
    matrix.note(client, FEATURE.cut, "yes");
  });

  test("[G1] [A6] each error is known for what it is", async () => {
    await using it = await setUp(client);
    const { claviger, upstream } = it.bench;
    const fail = (change: Partial<Ask> = {}) =>
      failureOf(Array.fromAsync(client.stream({ ...it.ask, ...change })));
    const reader = await claviger.issueKey("reader", ["viewer"]);
    const failures: Record<Status, () => Promise<unknown>> = {
      401: () => fail({ key: "sk-claviger-no" }),
      403: () => fail({ key: reader.key }),
      404: () => fail({ model: "nowhere" }),
      429: () => {
        upstream.behave({ kind: "error", status: 429 });
        return fail();
      },
      500: () => {
        upstream.behave({ kind: "error", status: 500 });
        return fail();
      },
    };
    for (const status of STATUSES) {
      const known = client.kindOf(await failures[status]());
      expect(known).toBe(client.errors[status]);
      matrix.note(client, errorFeature(status), known);
    }
  });

  if (client.retries && chat)
    test("[G1] [G3] it repeats what may succeed, and a refused credential only if it cannot be told", async () => {
      await using it = await setUp(client);
      const { upstream } = it.bench;
      const headers = { "retry-after-ms": "1" };
      upstream.behave({ kind: "error", status: 500, headers });
      await failureOf(chat({ ...it.ask, maxRetries: 2 }));
      expect(upstream.requests).toHaveLength(3);
      matrix.note(client, FEATURE.retry, "3");
      if (!client.obeysShouldRetry) return;
      upstream.behave({ kind: "error", status: 401, headers });
      const refused = await failureOf(chat({ ...it.ask, maxRetries: 2 }));
      expect(refused).toMatchObject({ status: 502 });
      expect(upstream.requests).toHaveLength(4);
      matrix.note(client, FEATURE.refused, "1");
    });
});

test("[G1] the matrix in the docs is what was found", async () => {
  await expect(matrix.render(CLIENTS)).toMatchFileSnapshot("../../docs/sdk-matrix.md");
});
