import fc, { array, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { EventRelay } from "../event-relay.ts";
import { chatEnding } from "../stream-ending.ts";
import { NO_PARTS, type UsageDialect } from "./token-usage.ts";
import { UsageWatch } from "./usage-watch.ts";

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, more: object) => `event: ${type}\n${data({ type, ...more })}`;
const chunk = (content: string, more: object = {}) =>
  data({ choices: [{ index: 0, delta: { content } }], ...more });

const CHAT = [
  chunk("", { usage: null }),
  chunk('He said \\"usage\\":{"prompt_tokens":999} and "usage"', { usage: null }),
  data({ choices: [{ delta: {}, finish_reason: "stop" }], usage: null }),
  data({
    choices: [],
    usage: {
      prompt_tokens: 20,
      completion_tokens: 9,
      total_tokens: 29,
      prompt_tokens_details: { cached_tokens: 16 },
    },
  }),
  "data: [DONE]\n\n",
].join("");
const SCHEMA = { tools: [{ parameters: { properties: { usage: { input_tokens: 7, output_tokens: 7 } } } }] };
const RESPONSES = [
  named("response.created", { response: { ...SCHEMA, usage: null } }),
  named("response.output_text.delta", { delta: "Hello" }),
  named("response.output_text.done", { text: "Hello", arguments: "Hello".repeat(100) }),
  named("response.completed", { response: { ...SCHEMA, usage: { input_tokens: 40, output_tokens: 12 } } }),
].join("");
const MESSAGE_START = named("message_start", {
  message: {
    usage: { input_tokens: 5, cache_read_input_tokens: 90, cache_creation_input_tokens: 4, output_tokens: 1 },
  },
});
const MESSAGES = [
  MESSAGE_START,
  named("content_block_start", {
    content_block: { type: "tool_use", input: { usage: { output_tokens: 999 } } },
  }),
  named("content_block_delta", { delta: { type: "text_delta", text: "Hello there" } }),
  named("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 15 } }),
  named("message_stop", {}),
].join("");

const STREAMS: [string, UsageDialect, string, object][] = [
  ["chat", "openai", CHAT, { inputTokens: 20, outputTokens: 9, parts: { ...NO_PARTS, cacheRead: 16 } }],
  ["responses", "openai", RESPONSES, { inputTokens: 40, outputTokens: 12, parts: NO_PARTS }],
  [
    "messages",
    "anthropic",
    MESSAGES,
    { inputTokens: 99, outputTokens: 15, parts: { ...NO_PARTS, cacheRead: 90, cacheWrite: 4 } },
  ],
];

describe.each(STREAMS)("a %s stream", (_name, dialect, stream, expected) => {
  test("[G9] gives the upstream's own figures", () => {
    expect(watched(dialect, [Buffer.from(stream)])).toEqual({ ...expected, estimated: false });
    const crlf = Buffer.from(stream.replaceAll("\n", "\r\n"));
    expect(watched(dialect, [crlf])).toEqual({ ...expected, estimated: false });
  });

  test("[G9] gives them however its bytes are cut", () => {
    const bytes = Buffer.from(stream);
    fc.assert(
      property(array(nat(bytes.length), { maxLength: 40 }), (cuts) => {
        expect(watched(dialect, split(bytes, cuts))).toEqual({ ...expected, estimated: false });
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  test("[G9] cut anywhere, gives whole non-negative numbers, and an estimate unless the figures were there", () => {
    const bytes = Buffer.from(stream);
    for (let end = 1; end < bytes.length; end += 1) {
      const usage = watched(dialect, [bytes.subarray(0, end)]);
      if (usage === null) continue;
      expect(Number.isSafeInteger(usage.inputTokens) && Number.isSafeInteger(usage.outputTokens)).toBe(true);
      if (!usage.estimated) expect(usage).toEqual({ ...expected, estimated: false });
    }
  });
});

test("[G9] a cut chat stream is estimated: four bytes a token, of what was said and of the request", () => {
  const said = [
    chunk("abcd"),
    chunk("\u00e9"),
    chunk('"'),
    data({ choices: [{ delta: { reasoning_content: "ef" } }] }),
  ];
  expect(watched("openai", [Buffer.from(said.join(""))], 1001)).toEqual({
    inputTokens: 251,
    outputTokens: 3,
    parts: NO_PARTS,
    estimated: true,
  });
  const spaced = 'data: {"choices": [{"delta": {"content": "\\u4e2d\\u6587ab"}}]}\n\n';
  expect(watched("openai", [Buffer.from(spaced)])?.outputTokens).toBe(2);
  const calls = data({ choices: [{ delta: { tool_calls: [{ function: { arguments: "12345678" } }] } }] });
  expect(watched("openai", [Buffer.from(calls)])?.outputTokens).toBe(2);
});

test("[G9] a cut responses stream counts its deltas once", () => {
  const cut = RESPONSES.slice(0, RESPONSES.indexOf("event: response.completed"));
  expect(watched("openai", [Buffer.from(cut)])).toMatchObject({ outputTokens: 2, estimated: true });
});

test("[G9] a cut message keeps the input it was told; the output at its start is not taken for the whole", () => {
  const said = named("content_block_delta", { delta: { type: "text_delta", text: "x".repeat(40) } });
  expect(watched("anthropic", [Buffer.from(MESSAGE_START + said)], 4000)).toEqual({
    inputTokens: 99,
    outputTokens: 10,
    parts: { ...NO_PARTS, cacheRead: 90, cacheWrite: 4 },
    estimated: true,
  });
});

test("[G9] the larger figure counts where an upstream tells a message's input at the end, or as 0", () => {
  const stream = (start: object, end: object) =>
    watched("anthropic", [
      Buffer.from(
        named("message_start", { message: { usage: start } }) + named("message_delta", { usage: end }),
      ),
    ]);
  expect(stream({ input_tokens: 0, output_tokens: 0 }, { input_tokens: 9, output_tokens: 4 })).toMatchObject({
    inputTokens: 9,
    outputTokens: 4,
  });
  expect(
    stream({ input_tokens: 9, output_tokens: 0 }, { input_tokens: 0, output_tokens: 4 })?.inputTokens,
  ).toBe(9);
});

test("[G9] a stream that tells with every chunk counts as far as it came", () => {
  const stream = [1, 2, 3].map((n) => chunk("x", { usage: { prompt_tokens: 5, completion_tokens: n } }));
  expect(watched("openai", [Buffer.from(stream.join(""))])).toMatchObject({
    outputTokens: 3,
    estimated: false,
  });
});

test("[G9] figures stay when a later chunk says null", () => {
  const stream = [
    chunk("x", { usage: { prompt_tokens: 5, completion_tokens: 4 } }),
    chunk("", { usage: null }),
  ];
  expect(watched("openai", [Buffer.from(stream.join(""))])).toMatchObject({
    outputTokens: 4,
    estimated: false,
  });
});

test("[G9] figures that are no figures, or whose JSON is broken, are estimated and never taken over", () => {
  for (const usage of ['{"prompt_tokens":-5,"completion_tokens":1e99}', '{"prompt_tokens":', '{"a":{}}'])
    expect(watched("openai", [Buffer.from(`data: {"choices":[],"usage":${usage}}\n\n`)], 8)).toEqual({
      inputTokens: 2,
      outputTokens: 0,
      parts: NO_PARTS,
      estimated: true,
    });
});

test("[G9] events that begin as those before them count as if they had come alone", () => {
  const key = fc.constantFrom("content", "usage", "delta", "refusal", "index");
  const colon = fc.constantFrom(":", ": ", " :", ":  ");
  const value = fc.constantFrom(
    '"',
    '""',
    '"a"',
    '"content":"b"',
    '"\\""',
    "null",
    "1",
    '{"content":"c"}',
    " ",
  );
  const event = fc
    .tuple(key, colon, value, fc.constantFrom("}\n\n", ',"text":"d"}\n\n', "\n\n"))
    .map((parts) => {
      const [name, between, said, rest] = parts;
      return Buffer.from(`data: {"id":"one","${name}"${between}${said}${rest}`);
    });
  fc.assert(
    property(array(event, { maxLength: 8 }), (events) => {
      const together = new UsageWatch("openai");
      const alone = new UsageWatch("openai");
      for (const each of events) {
        const fresh = new UsageWatch("openai");
        expect(together.push(each)).toBe(fresh.push(each));
      }
      alone.push(Buffer.concat(events));
      expect(together.end(0)).toEqual(alone.end(0));
    }),
    { numRuns: 2000 },
  );
});

test("[G9] a stream in which no event passed used nothing that is known", () => {
  expect(new UsageWatch("openai").end(100)).toBeNull();
});

test("[G9] a line of a megabyte that names usage at every turn costs one look", () => {
  const line = Buffer.from('"usage","usage":null,'.repeat(200_000));
  const began = process.cpuUsage();
  const watch = new UsageWatch("openai");
  watch.push(line);
  watch.push(Buffer.concat([Buffer.from("x"), line, Buffer.from("\n\n")]));
  const { user } = process.cpuUsage(began);
  expect(watch.end(0)).toMatchObject({ estimated: true });
  expect(user).toBeLessThan(3_000_000);
});

/** As the gateway does it: complete events from the relay, then the watch. */
function watched(dialect: UsageDialect, chunks: readonly Buffer[], requestBytes = 0) {
  const relay = new EventRelay(chatEnding);
  const watch = new UsageWatch(dialect);
  for (const piece of chunks) {
    const events = relay.push(piece);
    if (events !== undefined) watch.push(events);
  }
  return watch.end(requestBytes);
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return at.map((cut, index) => bytes.subarray(cut, at[index + 1] ?? cut));
}
