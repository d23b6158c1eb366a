import OpenAI, { toFile } from "openai";
import { expect, test } from "vitest";
import { SPEECH, UPSTREAM_MODEL } from "#test/upstream.ts";
import { type Bench, chat, MODEL, startBench } from "./bench.ts";

const clientOf = (bench: Bench, options: { key?: string; maxRetries?: number } = {}) =>
  new OpenAI({
    baseURL: `${bench.claviger.url}/v1`,
    apiKey: options.key ?? bench.key,
    maxRetries: options.maxRetries ?? 0,
  });

test("[G1] the official OpenAI client streams and does not stream, with nothing changed but its base URL and key", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const whole = await client.chat.completions.create(chat());
  const stream = await client.chat.completions.create({ ...chat(), stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).not.toBe("");
  expect(text).toBe(whole.choices[0]?.message.content);
});

test("[G1] responses, whole and streamed, with the client's own request echoed in them", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const whole = await client.responses.create({ model: MODEL, input: "hello" });
  expect(whole.output_text).toBe("Hello.");
  const types: string[] = [];
  const stream = await client.responses.create({ model: MODEL, input: "hello", stream: true });
  for await (const event of stream) types.push(event.type);
  expect(types).toEqual([
    "response.created",
    "response.output_item.added",
    "response.output_text.delta",
    "response.output_item.done",
    "response.completed",
  ]);
});

test("[G1] a responses stream that ends before its last event raises, although `completed` was echoed before", async () => {
  await using bench = await startBench();
  const created = { type: "response.created", response: { metadata: { type: "response.completed" } } };
  const chunks = [`event: response.created\ndata: ${JSON.stringify(created)}\n\n`];
  bench.upstream.behave({ kind: "raw", chunks });
  const stream = await clientOf(bench).responses.create({ model: MODEL, input: "hello", stream: true });
  await expect(Array.fromAsync(stream)).rejects.toThrow(OpenAI.APIError);
});

test("[G1] embeddings, and models by list and by name", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const embedded = await client.embeddings.create({ model: MODEL, input: "x", encoding_format: "float" });
  expect(embedded.data[0]?.embedding).toEqual([0.5, -0.5]);
  expect((await Array.fromAsync(client.models.list())).map(({ id }) => id)).toEqual([MODEL]);
  expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: "model", owned_by: "sim" });
  expect((await client.models.retrieve(UPSTREAM_MODEL)).id).toBe(MODEL);
  await expect(client.models.retrieve("sim/none")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test("[G1] images and audio pass by their model field, as JSON and as forms", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const file = await toFile(Buffer.from('name="model"\r\n\r\nnot-this\r\n--'), "model.wav");
  const transcript = await client.audio.transcriptions.create({ model: MODEL, file });
  expect(transcript.text).toBe("Hello.");
  const form = bench.upstream.requests[0]?.body.toString() ?? "";
  expect(form).toContain(`name="model"\r\n\r\n${UPSTREAM_MODEL}\r\n`);
  expect(form).not.toContain(MODEL);
  expect(form).toContain("not-this");
  const speech = await client.audio.speech.create({ model: MODEL, input: "x", voice: "alloy" });
  expect(Buffer.from(await speech.arrayBuffer())).toEqual(SPEECH);
  expect((await client.images.generate({ model: MODEL, prompt: "x" })).data).toHaveLength(1);
  const edited = await client.images.edit({ model: MODEL, prompt: "x", image: file });
  expect(edited.data).toHaveLength(1);
  expect(bench.upstream.requests.map(({ path }) => path)).toEqual([
    "/v1/audio/transcriptions",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/images/edits",
  ]);
});

test("[G1] each refusal is the client's own error class", async () => {
  await using bench = await startBench();
  const client = clientOf(bench);
  const ask = (from: OpenAI, more: object = {}) => from.chat.completions.create({ ...chat(), ...more });
  await expect(ask(client, { model: 3 })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  await expect(ask(clientOf(bench, { key: "sk-claviger-no" }))).rejects.toBeInstanceOf(
    OpenAI.AuthenticationError,
  );
  const { key } = await bench.claviger.issueKey("reader", ["viewer"]);
  await expect(ask(clientOf(bench, { key }))).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
  await expect(ask(client, { model: "nowhere" })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  await expect(client.post("/assistants", { body: {} })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  expect(bench.upstream.requests).toHaveLength(0);
  bench.upstream.behave({ kind: "error", status: 429, headers: { "retry-after": "7" } });
  const limited = await ask(client).catch((error: unknown) => error);
  if (!(limited instanceof OpenAI.RateLimitError)) throw limited;
  expect(limited.headers.get("retry-after")).toBe("7");
  expect(limited.message).toContain("the simulated upstream fails");
  bench.upstream.behave({ kind: "error", status: 500 });
  await expect(ask(client)).rejects.toBeInstanceOf(OpenAI.InternalServerError);
});

test("[G1] [G3] the client repeats what may succeed, never a refused credential", async () => {
  await using bench = await startBench();
  const client = clientOf(bench, { maxRetries: 2 });
  const headers = { "retry-after-ms": "1" };
  bench.upstream.behave({ kind: "error", status: 500, headers });
  await expect(client.chat.completions.create(chat())).rejects.toBeInstanceOf(OpenAI.InternalServerError);
  expect(bench.upstream.requests).toHaveLength(3);
  bench.upstream.behave({ kind: "error", status: 401, headers });
  const refused = await client.chat.completions.create(chat()).catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 502, code: "upstream_credential_rejected" });
  expect(bench.upstream.requests).toHaveLength(4);
});

test("[G1] an upstream's error in another shape is told in the client's", async () => {
  await using bench = await startBench();
  for (const [chunk, message] of [
    ["<html>Bad Gateway</html>", "status 503"],
    ['{"detail":"out of memory"}', "out of memory"],
  ] as const) {
    bench.upstream.behave({
      kind: "raw",
      status: 503,
      headers: { "content-type": "text/html" },
      chunks: [chunk],
    });
    const answer = await bench.claviger.call({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${bench.key}` },
      body: chat(),
    });
    expect(answer.status).toBe(503);
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(answer.json).toMatchObject({ error: { type: "upstream_error" } });
    expect(answer.text).toContain(message);
  }
});
