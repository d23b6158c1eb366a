import { expect, test } from "vitest";
import { bytesFinder } from "./bytes-finder.ts";

const NEEDLES = ["usage", '"finish_reason"', "[DONE]", "e", "_", "ee", "sk-live-Xy0", '\\"', "zzz", "é"];

test("bytes are found where a plain search finds them, wherever the search begins", () => {
  const texts = [
    "",
    "usage",
    "usag",
    "xusagusage",
    'ge" "usage" ge"',
    '{"finish_reason":null,"xfinish_reason":1}"finish_reason"',
    "data: [DONE]\n\n[[DONE]DONE][DONE]",
    "eee e",
    "___",
    "sk-live-Xy sk-live-Xy0",
    'a\\"b\\\\"',
    "zzzzz",
    "été",
  ];
  for (const needle of NEEDLES)
    for (const text of texts.map((each) => Buffer.from(each)))
      for (let from = 0; from <= text.length + 1; from += 1)
        expect([`${text}`, needle, from, bytesFinder(Buffer.from(needle))(text, from)]).toEqual([
          `${text}`,
          needle,
          from,
          text.indexOf(needle, from),
        ]);
});

test("they are found behind any number of places that only look like it", () => {
  for (const needle of NEEDLES)
    for (const count of [6, 7, 8, 9, 50]) {
      const looksLikeIt = needle.length === 1 ? "-" : `${needle.slice(0, -1)}~${needle.slice(1)}~`;
      const text = Buffer.from(`${looksLikeIt.repeat(count)}${needle}${needle}`);
      const find = bytesFinder(Buffer.from(needle));
      expect([needle, count, find(text)]).toEqual([needle, count, text.indexOf(needle)]);
      const first = text.indexOf(needle);
      expect(find(text, first + 1)).toBe(text.indexOf(needle, first + 1));
    }
});
