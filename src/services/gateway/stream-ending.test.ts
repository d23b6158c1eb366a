import { expect, test } from "vitest";
import { chatEnding, messageEnding, severalTyped, typedEnding } from "./stream-ending.ts";

const ending = typedEnding(/^response\.(completed|failed)$/, "response.");
const isIn = (text: string, startsLine = true) => ending.isIn(Buffer.from(text), startsLine);

test("[G6] a typed stream is finished by the type of an event, not by what stands inside one", () => {
  expect(isIn('data: {"type":"response.completed"}\n\n')).toBe(true);
  expect(isIn('data:{"a":1, "type" : "response.failed"}\r\n\r\n')).toBe(true);
  expect(isIn("event: response.completed\ndata: {}\n\n")).toBe(true);
  expect(isIn("data: [DONE]\n\n")).toBe(true);
  expect(isIn('data: {"type":"response.created","response":{"type":"response.completed"}}\n\n')).toBe(false);
  expect(isIn('data: {"type":"response.output_text.delta","delta":"event: response.completed"}\n\n')).toBe(
    false,
  );
  expect(isIn(": event: response.completed\n\n")).toBe(false);
});

test("[G6] of an event too large to hold its first line or first member counts, its middle does not", () => {
  expect(isIn('data: {"type":"response.completed","output":["xxxx')).toBe(true);
  expect(isIn('data: {"output":["xxxx')).toBe(false);
  expect(isIn("event: response.completed", false)).toBe(false);
});

test("[G6] a stream of messages is finished by message_stop alone", () => {
  const ends = (text: string, startsLine = true) => messageEnding.isIn(Buffer.from(text), startsLine);
  expect(ends('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
  expect(ends('data: {"type": "message_stop"}\r\n\r\n')).toBe(true);
  expect(ends("data: [DONE]\n\n")).toBe(false);
  expect(ends('event: error\ndata: {"type":"error"}\n\n')).toBe(false);
  expect(ends('data: {"type":"content_block_delta","delta":{"type":"message_stop"}}\n\n')).toBe(false);
  expect(ends('data: {"type":"x","text":"\\nevent: message_stop\\n"}\n\n')).toBe(false);
  expect(ends("event: message_stop", false)).toBe(false);
});

test("[G6] of several typed ends each event counts once, by its name too where its data is too large to hold", () => {
  const types = /^response\.(completed|failed)$/;
  const fresh = () => {
    const several = severalTyped(ending, types, 2);
    return (text: string, startsLine = true) => several.isIn(Buffer.from(text), startsLine);
  };
  const whole = 'event: response.completed\ndata: {"type":"response.completed"}\n\n';
  const twice = fresh();
  expect([twice(whole), twice("data: {}\n\n"), twice(whole)]).toEqual([false, false, true]);
  expect(fresh()(whole + whole)).toBe(true);
  const large = fresh();
  const begun = 'event: response.completed\ndata: {"b64":"xxxx';
  expect([large(begun), large('xxxx"}\n\n', false), large(begun)]).toEqual([false, false, true]);
  expect(fresh()("data: [DONE]\n\n")).toBe(true);
});

test("[G6] choices are counted by whole numbers below what was asked for", () => {
  const several = chatEnding.ofSeveral?.(2);
  const end = (index: number) =>
    several?.isIn(Buffer.from(`data: {"choices":[{"index":${index},"finish_reason":"stop"}]}\n\n`), true);
  expect([0, 0.5, 1.5, -1, 2, 1].map(end)).toEqual([false, false, false, false, false, true]);
  expect(chatEnding.ofSeveral?.(1)).toBeUndefined();
});
