import fc, { array, boolean, dictionary, jsonValue, nat, property, string } from "fast-check";
import { expect, test } from "vitest";
import { EventRelay } from "../event-relay.ts";
import { chatEnding } from "../stream-ending.ts";
import { askForUsage } from "./ask-for-usage.ts";
import { hideUsage } from "./hide-usage.ts";

const ADDED = '"stream_options":{"include_usage":true},';

test("[G4] the question is spliced in behind the first brace, and every other byte is the client's", () => {
  for (const body of [
    '{"model":"m","stream":true}',
    ' \n{ "stream" : true ,"model":"m", "n":1.0e0 } ',
    '{"model":"m","stream":true,"messages":[{"content":"caf\\u00e9 \\"stream_options\\": {} ☕"}]}',
    '{"model":"m","stream":true,"metadata":{"stream_options":{"include_usage":false}}}',
    '{"model":"stream_options","stream":true}',
  ]) {
    const asked = askForUsage(Buffer.from(body))?.toString() ?? "";
    expect(asked.replace(ADDED, "")).toBe(body);
    expect(JSON.parse(asked)).toEqual({ ...JSON.parse(body), stream_options: { include_usage: true } });
  }
});

test("[G4] a request that sets stream_options is left alone, whatever it sets and however it spells it", () => {
  for (const options of ["{}", "null", '{"include_usage":false}', '{"include_usage":true}'])
    for (const name of ["stream_options", "str\\u0065am_options", "\\u0073tream\\u005foptions"])
      expect(askForUsage(Buffer.from(`{"stream":true,"${name}":${options}}`)), name).toBeUndefined();
});

test("[G4] for any members, asking adds one member and nothing else", () => {
  fc.assert(
    property(dictionary(string(), jsonValue({ maxDepth: 3 })), boolean(), (members, sets) => {
      const body = JSON.stringify({ ...members, stream: true, ...(sets && { stream_options: {} }) });
      const asked = askForUsage(Buffer.from(body))?.toString();
      expect(asked).toBe(sets || "stream_options" in members ? undefined : `{${ADDED}${body.slice(1)}`);
    }),
    { seed: 5 },
  );
});

const data = (json: string) => `data: ${json}\n\n`;
const EXTRA = data('{"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}');
const PLAIN = [
  ": hello\n\n",
  data('{"id":"1","choices":[{"delta":{"content":"say \\"usage\\":null"}}]}'),
  data('{"choices":[{"delta":{"content":"usage"}}],"x":"usage","obfuscation":"ab"}'),
  data('{"choices":[{"delta":{},"finish_reason":"stop"}]}'),
].join("");
const DONE = "data: [DONE]\n\n";
const ASKED = [
  ": hello\n\n",
  data('{"id":"1","choices":[{"delta":{"content":"say \\"usage\\":null"}}],"usage":null}'),
  data('{"choices":[{"delta":{"content":"usage"}}],"x":"usage", "usage" : null,"obfuscation":"ab"}'),
  data('{"usage":null,"choices":[{"delta":{},"finish_reason":"stop"}]}'),
  EXTRA,
  DONE,
].join("");

test.each([
  "\n",
  "\r\n",
  "\r",
])("[G9] [G4] the client that did not ask gets, byte for byte, the stream it would have got (line ends %j)", (end) => {
  const ends = (text: string) => text.replaceAll("\n", end);
  expect(hidden([Buffer.from(ends(ASKED))])).toBe(ends(PLAIN + DONE));
  expect(hidden([Buffer.from(ends(PLAIN + DONE))])).toBe(ends(PLAIN + DONE));
});

test("[G9] [G4] the same however the bytes are cut", () => {
  const bytes = Buffer.from(ASKED);
  fc.assert(
    property(array(nat(bytes.length), { maxLength: 40 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      expect(hidden(at.map((cut, index) => bytes.subarray(cut, at[index + 1] ?? cut)))).toBe(PLAIN + DONE);
    }),
    { seed: 6, numRuns: 300 },
  );
});

test("[G4] what is not the extra chunk stays: figures beside choices, deeper members, broken JSON, other lines", () => {
  for (const event of [
    data('{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}'),
    data('{"choices":[{"delta":{"usage":null}}]}'),
    data('{"choices":[],"usage":"none"}'),
    data('{"usage":{"prompt_tokens":1}}'),
    data('{"usage":null}'),
    data('{"choices":[],"usage":{"prompt_tokens":1}'),
    ': "usage":null\n\n',
    "data: nothing\n\n",
  ])
    expect(hideUsage(Buffer.from(event)).toString()).toBe(event);
});

test("[G4] a chunk is hidden together with its empty line, but for what else its event has", () => {
  const json = '{"choices":[ ],"usage":{}}';
  expect(hideUsage(Buffer.from(`${DONE}data:${json}\n\n${DONE}`)).toString()).toBe(DONE + DONE);
  expect(hideUsage(Buffer.from(`id: 1\ndata: ${json}\n\n${DONE}`)).toString()).toBe(`id: 1\n\n${DONE}`);
  expect(hideUsage(Buffer.from(`data: ${json}\nid: 1\n\n${DONE}`)).toString()).toBe(`id: 1\n\n${DONE}`);
});

test("[G4] events without the word pass as the same buffer", () => {
  const events = Buffer.from(data('{"choices":[]}'));
  expect(hideUsage(events)).toBe(events);
});

/** As the gateway does it: complete events from the relay, then hidden. */
function hidden(chunks: readonly Buffer[]): string {
  const relay = new EventRelay(chatEnding);
  const pieces = chunks.map((piece) => hideUsage(relay.push(piece) ?? Buffer.alloc(0)));
  return Buffer.concat([...pieces, hideUsage(relay.end().rest)]).toString();
}
