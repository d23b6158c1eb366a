import { expect, test } from "vitest";
import { EventRelay } from "./event-relay.ts";
import { chatEnding } from "./stream-ending.ts";

const RECORDED = [
  ": comment\n\n",
  'data: {"choices":[{"delta":{"content":"sagt \\"finish_reason\\":\\"stop\\" ä"},"finish_reason":null}]}\n\n',
  'data: {"choices":[]}\r\n\r\n',
  "data: a\rdata: b\r\r",
  "event: x\ndata: c\n\r\n",
  'data: {"choices":[{"finish_reason": "stop"}]}\r\n\n',
  "data: [DONE]\n\n",
].join("");

function relayed(chunks: readonly Buffer[]) {
  const relay = new EventRelay(chatEnding);
  const pieces = chunks.map((chunk) => relay.push(chunk) ?? Buffer.alloc(0));
  const { finished, rest } = relay.end();
  return { text: Buffer.concat([...pieces, rest]).toString(), finished, firstEvent: relay.firstEvent };
}
const whole = (text: string) => relayed([Buffer.from(text)]);

test("[G6] for every pair of split positions the output is the recorded stream", () => {
  const bytes = Buffer.from(RECORDED);
  const expected = whole(RECORDED);
  expect(expected.text).toBe(RECORDED);
  expect(expected.finished).toBe(true);
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += first % 7 === 0 ? 1 : 29) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      expect(relayed(chunks)).toEqual(expected);
    }
  }
  expect(relayed([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected);
});

test("[G6] an event goes out as soon as it is complete, and never before", () => {
  for (const end of ["\n\n", "\r\n\r\n", "\r\r", "\n\r", "\r\n\n"]) {
    expect(new EventRelay(chatEnding).push(Buffer.from(`data: 1${end}data: 2`))?.toString()).toBe(
      `data: 1${end}`,
    );
  }
  const relay = new EventRelay(chatEnding);
  expect(relay.push(Buffer.from("data: 1\r\n"))).toBeUndefined();
  expect(relay.push(Buffer.from("data: 2\n"))).toBeUndefined();
  expect(relay.push(Buffer.from("\n"))?.toString()).toBe("data: 1\r\ndata: 2\n\n");
});

test("[G6] a cut at any byte drops the incomplete event and is no finish", () => {
  const head = 'data: {"a":1}\n\n';
  const unfinished = 'data: {"choices":[{"finish_reason":"stop"}]}\n';
  for (let cut = 1; cut <= unfinished.length; cut += 1) {
    expect(whole(head + unfinished.slice(0, cut))).toMatchObject({ text: head, finished: false });
  }
});

test("[G6] what counts as the finish", () => {
  expect(whole("data: [DONE]\n\n").finished).toBe(true);
  expect(whole("data:[DONE]\r\n\r\n").finished).toBe(true);
  expect(whole("data: 1\n\ndata: [DONE]")).toMatchObject({ finished: true, text: "data: 1\n\ndata: [DONE]" });
  expect(whole('data: {"finish_reason" : "length"}\n\n').finished).toBe(true);
  expect(whole('data: {"finish_reason": null}\n\n').finished).toBe(false);
  expect(whole('data: {"content":"data: [DONE]"}\n\n').finished).toBe(false);
  expect(whole('data: {"content":"finish_reason"}\n\n').finished).toBe(false);
  expect(whole(": [DONE]\n\n").finished).toBe(false);
  expect(whole("data: [DONE] not\n\n").finished).toBe(false);
});

test("[G5] an error-first stream is seen from its first event with data", () => {
  const first = (text: string) => whole(text).firstEvent;
  expect(first(': wait\n\ndata: {"error":{"message":"no"}}\n\n')).toEqual({
    isError: true,
    data: '{"error":{"message":"no"}}',
  });
  expect(first("event: error\ndata: {}\n\n")?.isError).toBe(true);
  expect(first('data: {"error":null,"id":1}\n\n')?.isError).toBe(false);
  expect(first('data: {"id":1}\n\ndata: {"error":1}\n\n')?.isError).toBe(false);
  expect(first(": only a comment\n\n")).toBeUndefined();
  expect(first('data: {"error":')).toBeUndefined();
});

test("[G5] pings before the first event are passed over, and an error behind them is seen", () => {
  const first = (text: string) => whole(text).firstEvent;
  const ping = 'event: ping\ndata: {"type": "ping"}\n\n';
  expect(first(ping)).toBeUndefined();
  expect(first(`${ping}: wait\n\n${ping}event: error\ndata: {}\n\n`)?.isError).toBe(true);
  expect(first(`${ping}data: {"type":"message_start"}\n\n`)).toEqual({
    isError: false,
    data: '{"type":"message_start"}',
  });
  expect(first("event: error\n\ndata: 1\n\n")?.isError).toBe(false);
});

test("an event over 1 MiB passes in pieces, unchanged, and a cut in it ends its line", () => {
  const big = `data: ${"x".repeat(3 * 1024 * 1024)}`;
  const chunks = Array.from({ length: 49 }, (_, index) =>
    Buffer.from(big.slice(index * 65536, (index + 1) * 65536)),
  );
  expect(relayed([...chunks, Buffer.from("\n\ndata: [DONE]\n\n")])).toMatchObject({
    text: `${big}\n\ndata: [DONE]\n\n`,
    finished: true,
  });
  const cut = relayed(chunks);
  expect(cut.finished).toBe(false);
  expect(cut.text.endsWith("x\n\n")).toBe(true);
});
