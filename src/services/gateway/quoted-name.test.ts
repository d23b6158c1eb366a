import { expect, test } from "vitest";
import { quotedName } from "./quoted-name.ts";

test("a quoted name is found where a plain search finds it, wherever the search begins", () => {
  const texts = [
    "",
    '"usage"',
    'usage"',
    '"usage',
    '""usage"',
    '"usage":1,"usage":2',
    'ge" "usage" ge"',
    '{"usages":1,"xusage":2,"usage":{"usage":"usage"}}',
    '"finish_reason"',
    '_reason"finish_reason""finish_reason"',
    '"error""rror""error"',
  ];
  for (const name of ["usage", "finish_reason", "error", "e", "_"])
    for (const text of texts)
      for (let from = 0; from <= text.length + 1; from += 1)
        expect([text, from, quotedName(name)(Buffer.from(text), from)]).toEqual([
          text,
          from,
          text.indexOf(`"${name}"`, from),
        ]);
});
