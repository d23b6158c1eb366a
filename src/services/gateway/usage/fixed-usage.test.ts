import fc, { array, constantFrom, jsonValue, nat, property, string, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { ReplyTail, readUsage } from "./fixed-usage.ts";

const openai = (usage: unknown, more: object = {}) =>
  readUsage("openai", Buffer.from(JSON.stringify({ id: "x", choices: [{ index: 0 }], usage, ...more })));
const anthropic = (usage: unknown) =>
  readUsage("anthropic", Buffer.from(JSON.stringify({ content: [{ type: "text", text: "hi" }], usage })));
const tokens = (inputTokens: number | null, outputTokens: number | null, parts: object = {}) => ({
  inputTokens,
  outputTokens,
  parts: { cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0, inputAudio: 0, outputAudio: 0, ...parts },
  estimated: false,
});

test("[G9] chat completions: prompt and completion tokens, with cached tokens and sound as shares", () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 64, audio_tokens: 10 },
    completion_tokens_details: { reasoning_tokens: 30, audio_tokens: 5 },
  };
  const more = { service_tier: "default", system_fingerprint: "fp" };
  expect(openai(usage, more)).toEqual(tokens(100, 50, { cacheRead: 64, inputAudio: 10, outputAudio: 5 }));
});

test("[G9] reasoning that an upstream leaves out of the output is added, as its total says", () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 45,
    completion_tokens_details: { reasoning_tokens: 30 },
  };
  expect(openai(usage)).toEqual(tokens(10, 35));
  expect(openai({ ...usage, total_tokens: 15 })).toEqual(tokens(10, 5));
});

test("[G9] responses and images name the same figures input and output", () => {
  const usage = {
    input_tokens: 8,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 2,
    total_tokens: 10,
  };
  expect(openai(usage, { user: null, metadata: { a: "b" } })).toEqual(tokens(8, 2, { cacheRead: 4 }));
});

test("[G9] embeddings use no output tokens; without a total that says so the output is not known", () => {
  expect(openai({ prompt_tokens: 8, total_tokens: 8 })).toEqual(tokens(8, 0));
  expect(openai({ prompt_tokens: 8 })).toEqual(tokens(8, null));
});

test("[G9] messages: the input is what was fresh, read from the cache and written to it", () => {
  const usage = {
    input_tokens: 10,
    cache_creation_input_tokens: 200,
    cache_read_input_tokens: 3000,
    cache_creation: { ephemeral_5m_input_tokens: 150, ephemeral_1h_input_tokens: 50 },
    output_tokens: 7,
  };
  expect(anthropic(usage)).toEqual(tokens(3210, 7, { cacheRead: 3000, cacheWrite: 200, cacheWriteHour: 50 }));
});

test("[G9] an answer without figures has none: count_tokens, no JSON, a cut body, an array", () => {
  for (const body of [
    '{"input_tokens":2095}',
    "",
    "  ",
    "{}",
    "}",
    '"usage"',
    "[]",
    "nonsense",
    '{"usage":{"prompt_tokens":1}',
  ])
    expect(readUsage("openai", Buffer.from(body)), body).toBeNull();
  expect(readUsage("anthropic", Buffer.from('{"input_tokens":2095}'))).toBeNull();
});

test.each([
  -1,
  1.5,
  1e9,
  1e300,
  "12",
  null,
  true,
  [12],
  { value: 12 },
  Number.MAX_SAFE_INTEGER,
])("[G9] a figure of %j is no figure", (bad) => {
  expect(openai({ prompt_tokens: bad, completion_tokens: 3 })).toEqual(tokens(null, 3));
  expect(openai({ prompt_tokens: bad, completion_tokens: bad })).toBeNull();
  expect(anthropic({ input_tokens: bad, output_tokens: 3 })).toEqual(tokens(null, 3));
  expect(openai(bad)).toBeNull();
});

test("[G9] shares that exceed their whole are not believed; -0 is 0", () => {
  expect(
    openai({ prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 6 } }),
  ).toEqual(tokens(5, 1));
  const body = Buffer.from('{"usage":{"prompt_tokens":-0,"completion_tokens":1}}');
  expect(Object.is(readUsage("openai", body)?.inputTokens, 0)).toBe(true);
});

test("[G9] only the member of the root counts, wherever a model or a schema writes its own", () => {
  const fake = { usage: { prompt_tokens: 999, completion_tokens: 999 } };
  const real = '"usage" : {"prompt_tokens":1,"completion_tokens":2}';
  const text = JSON.stringify(JSON.stringify(fake));
  const nested = JSON.stringify(fake);
  for (const body of [
    `{"a":${nested},${real}}`,
    `{${real},"a":${nested}}`,
    `{"a":${text},${real},"b":${text}}`,
    `{${real},"b":[${nested},"usage"],"c":"usage"}`,
    `{${real},"c":"\\\\"}\r\n `,
    `{${real},"c":"\\\\\\"usage\\":{"}`,
  ])
    expect(readUsage("openai", Buffer.from(body)), body).toEqual(tokens(1, 2));
  expect(readUsage("openai", Buffer.from(`{"a":${nested}}`))).toBeNull();
});

test("[G9] for any members around it, in any order, the figures are found", () => {
  const members = array(otherMember(), { maxLength: 6 });
  fc.assert(
    property(members, members, (before, after) => {
      const body = JSON.stringify(
        Object.fromEntries([...before, ["usage", { prompt_tokens: 3, completion_tokens: 4 }], ...after]),
      );
      expect(readUsage("openai", Buffer.from(body))).toEqual(tokens(3, 4));
    }),
    { seed: 7 },
  );
});

test("[G9] no bytes make the reader throw", () => {
  fc.assert(
    property(uint8Array({ maxLength: 300 }), constantFrom("openai", "anthropic"), (bytes, dialect) => {
      readUsage(dialect, Buffer.concat([Buffer.from('{"usage":'), bytes, Buffer.from("}")]));
    }),
    { seed: 8, numRuns: 500 },
  );
});

test("[G9] the end of a large reply is enough, however it is cut, and little of it is kept", () => {
  const body = Buffer.from(
    JSON.stringify({ data: ['\\"'.repeat(100_000)], usage: { prompt_tokens: 21, total_tokens: 21 } }),
  );
  fc.assert(
    property(array(nat(body.length), { maxLength: 30 }), (cuts) => {
      const tail = new ReplyTail();
      const at = [0, ...cuts.toSorted((a, b) => a - b), body.length];
      for (const [index, cut] of at.entries()) tail.push(body.subarray(cut, at[index + 1] ?? cut));
      expect(tail.bytes().length).toBe(16 * 1024);
      expect(readUsage("openai", tail.bytes())).toEqual(tokens(21, 0));
    }),
    { seed: 9 },
  );
  const tail = new ReplyTail();
  for (const byte of body.subarray(-70_000)) tail.push(Buffer.of(byte));
  expect(tail.bytes().equals(body.subarray(-16 * 1024))).toBe(true);
});

function otherMember() {
  return string({ unit: "grapheme" })
    .filter((key) => key !== "usage" && key !== "__proto__" && !/^\d+$/.test(key))
    .chain((key) => jsonValue({ maxDepth: 3 }).map((value): [string, unknown] => [key, value]));
}
