import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvents, type ServerEvent } from "./event-stream.ts";

/** All that is heard of these bytes, sent in these chunks. */
async function heardOf(...chunks: Uint8Array<ArrayBuffer>[]) {
  const events: ServerEvent[] = [];
  const ids: string[] = [];
  const retries: number[] = [];
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (stream) => {
      for (const chunk of chunks) stream.enqueue(chunk);
      stream.close();
    },
  });
  await readEvents(body, {
    onEvent: (event) => events.push(event),
    onId: (id) => ids.push(id),
    onRetry: (ms) => retries.push(ms),
  });
  return { events, ids, retries };
}
const bytes = (text: string) => new TextEncoder().encode(text);
const dataOf = async (text: string) => (await heardOf(bytes(text))).events.map(({ data }) => data);

/** With characters of one to four bytes. */
const EVENT = 'retry: 2000\nid: 7\nevent: key.created\ndata: {"name":"Zoë €𝄞"}\n\n';
const HEARD = {
  events: [{ id: "7", type: "key.created", data: { name: "Zoë €𝄞" } }],
  ids: ["7"],
  retries: [2000],
};
const LINE_ENDS = ["\n", "\r\n", "\r"];

test("an event is whole wherever the chunks end: in a character, in a line's end, after each byte", async () => {
  for (const end of LINE_ENDS) {
    const all = bytes(EVENT.replaceAll("\n", end));
    for (let at = 0; at <= all.length; at += 1)
      expect(await heardOf(all.slice(0, at), all.slice(at))).toEqual(HEARD);
    const single = [...all].map((byte) => Uint8Array.of(byte));
    expect(await heardOf(...single)).toEqual(HEARD);
  }
});

test("any text arrives as it was sent, in chunks of any size", async () => {
  const texts = fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 5 });
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(texts, cuts, fc.constantFrom(...LINE_ENDS), async (sent, at, end) => {
      const blocks = sent.map((text) => `data: ${JSON.stringify(text)}${end}${end}`);
      const all = bytes(blocks.join(""));
      const borders = [0, ...at.toSorted((a, b) => a - b), all.length];
      const chunks = borders.slice(1).map((border, index) => all.slice(borders[index], border));
      const { events } = await heardOf(...chunks);
      const heard = events.map(({ data }) => data);
      expect(heard).toEqual(sent);
    }),
    { numRuns: 30 },
  );
});

test("comments, unknown fields and lines without a colon make no event; neither does an end in the middle of one", async () => {
  expect(await heardOf(bytes(": heartbeat\n\n:\n\nother: 1\n\nevent: a\n\n\n\n"))).toEqual({
    events: [],
    ids: [],
    retries: [],
  });
  expect(await dataOf("data\n\n")).toEqual([null]);
  expect(await dataOf("data: 1\n\ndata: 2\n")).toEqual([1]);
  expect(await dataOf("data: 1\r\n\r")).toEqual([1]);
  expect(await dataOf("")).toEqual([]);
});

test("one space after the colon is none of the value; lines of data are one text; what is no JSON is null", async () => {
  expect(await dataOf('data:"a"\n\ndata: "a"\n\ndata:  "a"\n\n')).toEqual(["a", "a", "a"]);
  expect(await dataOf('data: {"a":\ndata: 1}\n\n')).toEqual([{ a: 1 }]);
  expect(await dataOf("data: [DONE]\n\n")).toEqual([null]);
  const { events } = await heardOf(bytes("event:  spaced\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n"));
  expect(events.map(({ type }) => type)).toEqual([" spaced", "message", "message"]);
});

test("an id holds for the events after it, is heard of blocks without data too, and only where one is given", async () => {
  const text = "id: 1\n\ndata: 1\n\n: heartbeat\nid: 2\n\ndata: 2\n\nid\n\ndata: 3\n\n";
  const { events, ids } = await heardOf(bytes(text));
  expect(events.map(({ id }) => id)).toEqual(["1", "2", ""]);
  expect(ids).toEqual(["1", "2", ""]);
});

test("retry is heard where it is a number of digits alone", async () => {
  const { retries } = await heardOf(bytes("retry: 5\n\nretry: 1.5\n\nretry: -1\n\nretry\n\nretry: 1e3\n\n"));
  expect(retries).toEqual([5]);
});

test("a stream that breaks fails as it broke, after what came before it", async () => {
  const events: ServerEvent[] = [];
  let hasSent = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (stream) => {
      if (hasSent) stream.error(new TypeError("network error"));
      else stream.enqueue(bytes("data: 1\n\ndata: 2"));
      hasSent = true;
    },
  });
  await expect(readEvents(body, { onEvent: (event) => events.push(event) })).rejects.toThrow("network error");
  expect(events.map(({ data }) => data)).toEqual([1]);
});
