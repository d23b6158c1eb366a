import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import { CLAUDE, MESSAGE_TOKENS, messageEvents } from "#test/upstream-anthropic.ts";
import { type Bench, startBench } from "./bench.ts";

const MODEL = `sim/${CLAUDE}`;
const bench = () => startBench({}, "anthropic");
const clientOf = (it: Bench, options: { key?: string; maxRetries?: number } = {}) =>
  new Anthropic({
    baseURL: it.claviger.url,
    apiKey: options.key ?? it.key,
    maxRetries: options.maxRetries ?? 0,
  });
const message = (more: object = {}) => ({
  model: MODEL,
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "hello" }],
  ...more,
});
const failureOf = async (work: PromiseLike<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Anthropic.APIError) return error;
    throw error;
  }
  throw new Error("no error");
};

test("[G1] the official Anthropic client: messages whole and streamed, token counts, and their beta parts", async () => {
  await using it = await bench();
  const client = clientOf(it);
  const whole = await client.messages.create(message());
  expect(whole.usage.output_tokens).toBe(MESSAGE_TOKENS.output);
  const streamed = await client.messages.stream(message()).finalMessage();
  expect(streamed.content).toMatchObject(whole.content);
  expect(streamed.usage).toMatchObject(whole.usage);
  expect((await client.messages.countTokens(message())).input_tokens).toBe(11);
  const betas = ["one-2026-01-01", "two-2026-01-01"];
  expect((await client.beta.messages.create({ ...message(), betas })).content).toMatchObject(whole.content);
  const counted = await client.beta.messages.countTokens({ ...message(), betas });
  expect(counted.input_tokens).toBe(11);
  expect(it.upstream.requests.map(({ path }) => path)).toEqual([
    "/v1/messages",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/messages",
    "/v1/messages/count_tokens",
  ]);
  expect(it.upstream.requests[3]?.rawHeaders).toContain(betas.join(","));
  const body = JSON.parse(it.upstream.requests[0]?.body.toString() ?? "");
  expect(body).toEqual(message({ model: CLAUDE }));
});

test("[G1] a token instead of a key, and models by list, by page and by name", async () => {
  await using it = await bench();
  const client = new Anthropic({ baseURL: it.claviger.url, authToken: it.key, apiKey: null, maxRetries: 0 });
  const ids = (await Array.fromAsync(client.models.list())).map(({ id }) => id);
  expect(ids).toEqual([CLAUDE, MODEL]);
  const byOne = await Array.fromAsync(client.models.list({ limit: 1 }));
  expect(byOne.map(({ id }) => id)).toEqual(ids);
  const backwards = await Array.fromAsync(client.models.list({ limit: 1, before_id: MODEL }));
  expect(backwards.map(({ id }) => id)).toEqual([CLAUDE]);
  for (const id of ids) {
    expect(await client.models.retrieve(id)).toMatchObject({ id, type: "model" });
    expect((await client.messages.create({ ...message(), model: id })).role).toBe("assistant");
  }
  await expect(client.models.retrieve("sim/none")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
});

test("[G1] [A6] each refusal is the client's own error class, with type, code and request id", async () => {
  await using it = await bench();
  const client = clientOf(it);
  const { key: reader } = await it.claviger.issueKey("reader", ["viewer"]);
  const refusals = [
    [
      () => client.messages.create({ ...message(), model: "" }),
      Anthropic.BadRequestError,
      "invalid_request_error",
      "bad_request",
    ],
    [
      () => clientOf(it, { key: "sk-claviger-no" }).messages.create(message()),
      Anthropic.AuthenticationError,
      "authentication_error",
      "invalid_token",
    ],
    [
      () => clientOf(it, { key: reader }).messages.create(message()),
      Anthropic.PermissionDeniedError,
      "permission_error",
      "forbidden",
    ],
    [
      () => client.messages.create({ ...message(), model: "nowhere" }),
      Anthropic.NotFoundError,
      "not_found_error",
      "model_not_found",
    ],
    [() => client.messages.batches.list(), Anthropic.NotFoundError, "not_found_error", "not_found"],
  ] as const;
  for (const [work, errorClass, type, errorCode] of refusals) {
    const error = await failureOf(Promise.resolve(work()));
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ type, errorCode, error: { request_id: error.requestID } });
  }
  expect(it.upstream.requests).toHaveLength(0);
});

test("[G1] [S4] [G3] the client repeats what may succeed, never to a locked server or with a refused credential", async () => {
  await using it = await bench();
  const client = clientOf(it, { maxRetries: 2 });
  const headers = { "retry-after-ms": "1" };
  it.upstream.behave({ kind: "error", status: 529, headers });
  const overloaded = await failureOf(client.messages.create(message()));
  expect(overloaded).toBeInstanceOf(Anthropic.OverloadedError);
  expect(overloaded.type).toBe("overloaded_error");
  expect(it.upstream.requests).toHaveLength(3);
  it.upstream.behave({ kind: "error", status: 401, headers });
  const refused = await failureOf(client.messages.create(message()));
  expect(refused).toMatchObject({ status: 502, errorCode: "upstream_credential_rejected" });
  expect(it.upstream.requests).toHaveLength(4);
  void it.claviger.app.seal.close();
  const locked = await failureOf(client.messages.create(message()));
  expect(locked).toBeInstanceOf(Anthropic.ServiceUnavailableError);
  expect(locked).toMatchObject({ status: 503, errorCode: "server_locked" });
  // Another thread's lines come a moment later.
  await expect.poll(() => it.claviger.logged().split("server_locked").length - 1).toBe(1);
});

test("[G6] a stream that is cut, and one whose upstream fails in its middle, raise with their type", async () => {
  await using it = await bench();
  const start = messageEvents([{ type: "message_start", message: {} }]).body;
  const overloaded = { type: "overloaded_error", message: "Overloaded" };
  const failing = messageEvents([{ type: "error", error: overloaded, request_id: "theirs" }]).body;
  for (const [chunks, type] of [
    [[start], "api_error"],
    [[start, failing], "overloaded_error"],
  ] as const) {
    it.upstream.behave({ kind: "raw", chunks });
    const stream = await clientOf(it).messages.create({ ...message(), stream: true });
    const error = await failureOf(Array.fromAsync(stream));
    expect(error.type).toBe(type);
  }
});
