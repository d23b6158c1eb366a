import { expect, test } from "vitest";
import { CLAUDE, MESSAGE_TOKENS } from "#test/upstream-anthropic.ts";
import { type Bench, rowsWhen, startBench } from "./bench.ts";

const post = ({ claviger, key }: Bench, path: string, more: object) =>
  claviger.call({
    method: "POST",
    path,
    headers: { "x-api-key": key },
    body: { model: CLAUDE, max_tokens: 9, messages: [{ role: "user", content: "hello" }], ...more },
  });
const told = { input_tokens: MESSAGE_TOKENS.input, output_tokens: MESSAGE_TOKENS.output };
const common = { model: `sim/${CLAUDE}`, provider: "sim", status: 200 };

test("[G9] [G7] a message's row has the upstream's own figures, cache included, whole and streamed", async () => {
  await using bench = await startBench({}, "anthropic");
  await post(bench, "/v1/messages", {});
  await post(bench, "/v1/messages", { stream: true });
  await post(bench, "/v1/messages/count_tokens", {});
  const [counted, streamed, whole] = await rowsWhen(bench.claviger, 3);
  expect(whole).toMatchObject({ ...common, ...told, streamed: false });
  expect(streamed).toMatchObject({ ...common, ...told, streamed: true });
  expect(counted).toMatchObject({ ...common, input_tokens: null, output_tokens: null, cost_usd: null });
});

test("[G9] of a stream that was cut the input is the upstream's figure and the output a guess from what passed", async () => {
  await using bench = await startBench({}, "anthropic");
  const { length } = (await post(bench, "/v1/messages", { stream: true })).text;
  bench.upstream.behave({ kind: "cut", afterBytes: length - 170 });
  await post(bench, "/v1/messages", { stream: true });
  const [cut] = await rowsWhen(bench.claviger, 2);
  expect(cut).toMatchObject({
    status: 502,
    streamed: true,
    input_tokens: MESSAGE_TOKENS.input,
    output_tokens: 2,
  });
});
