import { expect, test } from "vitest";
import { tokenReserve } from "./token-reserve.ts";

const LONGEST = 131_072;
const output = (body: object | string, window?: number) =>
  tokenReserve(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), { writes: true, window })
    .output;

test.each([
  [{ max_tokens: 5 }, 5],
  [{ max_completion_tokens: 6, max_tokens: 5 }, 6],
  [{ max_output_tokens: 7 }, 7],
  [{ max_tokens: 5, n_predict: 9 }, 9],
  [{ max_tokens: 5, n: 3 }, 15],
  [{ max_tokens: 5, n: null }, 5],
  [{ max_tokens: 5, n: 0.5 }, 5],
  [{ max_tokens: null }, LONGEST],
  [{ max_tokens: "5" }, LONGEST],
  [{ max_tokens: -1 }, LONGEST],
  [{ max_tokens: 0 }, LONGEST],
  [{ max_tokens: 1.5 }, LONGEST],
  [{ max_tokens: 5, max_completion_tokens: -1 }, LONGEST],
  [{ other: { max_tokens: 5 } }, LONGEST],
  [{}, LONGEST],
  [{ max_tokens: 10 ** 12 }, 100_000_000],
  [{ max_tokens: 10 ** 8, n: 100 }, 100_000_000],
])("[I14] of %j is set aside for the output: %i", (body, expected) => {
  expect(output(body)).toBe(expected);
});

test.each([
  ['{"max_tokens":5,"max_tokens":90}', 90],
  ['{"max_tokens":90,"max_tokens":5}', 90],
  ['{"max_tokens":5,"MAX_TOKENS":90}', 90],
  ['{"m\\u0061x_tokens":5}', 5],
  ['{"max_tokens":5e1}', 50],
  ['{"\\u004e":4,"max_tokens":5}', 20],
])("[I14] whichever way an upstream reads %s, it does not write more than %i", (body, expected) => {
  expect(output(body)).toBe(expected);
});

test("[I14] a model's window bounds what is set aside for it, in and out", () => {
  expect(output({}, 8192)).toBe(8192);
  expect(output({ max_tokens: 100_000, n: 2 }, 8192)).toBe(16_384);
  expect(output({ max_tokens: 5 }, 8192)).toBe(5);
  const long = Buffer.from(JSON.stringify({ input: "x".repeat(100_000) }));
  expect(tokenReserve(long, { writes: false, window: 8192 })).toEqual({ input: 8192, output: 0 });
});

test("[I14] what writes no text has an input alone, a token for every four bytes", () => {
  const body = Buffer.from(JSON.stringify({ model: "m", input: "x".repeat(81), max_tokens: 5 }));
  expect(tokenReserve(body, { writes: false, window: undefined })).toEqual({
    input: Math.ceil(body.length / 4),
    output: 0,
  });
});
