import { expect, test } from "vitest";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { UsageSums } from "./usage-sums.ts";

const ROW = {
  principal: "key_1",
  model: "p/m",
  status: 200,
  input_tokens: 3,
  output_tokens: null,
  cost_nano_usd: 5,
};

function watchedSums() {
  const wanted = new SharedFlag();
  wanted.raise();
  return { wanted, sums: new UsageSums(wanted) };
}

test("[C8] usage is summed by principal and model", () => {
  const { sums } = watchedSums();
  sums.add(ROW);
  sums.add({ ...ROW, output_tokens: 7, status: 400 });
  sums.add({ ...ROW, model: "p/n", cost_nano_usd: null });
  sums.absorb([{ ...ROW, requests: 4, input_tokens: 1, output_tokens: 1, cost_nano_usd: 1, errors: 2 }]);
  expect(sums.take()).toMatchObject([
    { model: "p/m", requests: 6, input_tokens: 7, output_tokens: 8, cost_nano_usd: 11, errors: 3 },
    { model: "p/n", requests: 1, input_tokens: 3, output_tokens: 0, cost_nano_usd: 0, errors: 0 },
  ]);
  expect(sums.take()).toEqual([]);
});

test("[C8] nothing is summed while nobody listens", () => {
  const { wanted, sums } = watchedSums();
  wanted.lower();
  sums.add(ROW);
  sums.absorb([{ ...ROW, requests: 1, output_tokens: 0, errors: 0 }]);
  wanted.raise();
  expect(sums.take()).toEqual([]);
});

test("beyond a hundred sums everything more is one, and nothing is lost", () => {
  const { sums } = watchedSums();
  for (let at = 0; at < 250; at += 1) sums.add({ ...ROW, principal: `key_${at}` });
  const taken = sums.take();
  expect(taken).toHaveLength(101);
  expect(taken.at(-1)).toMatchObject({
    principal: "other",
    model: "other",
    requests: 150,
    input_tokens: 450,
  });
});
