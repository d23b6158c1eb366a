import { once } from "node:events";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { type Bench, chat, MODEL, openChat, readAll, startBench } from "#test/gateway/bench.ts";
import { holdConnections } from "#test/workers/held-connections.ts";
import { type Listener, listen } from "./listener.ts";

vi.setConfig({ testTimeout: 60_000 });

const recorded = z.object({
  time: z.string(),
  sums: z.array(
    z.strictObject({
      principal: z.string(),
      model: z.string(),
      requests: z.number(),
      input_tokens: z.number(),
      output_tokens: z.number(),
      errors: z.number(),
      cost_usd: z.number(),
    }),
  ),
});

/** What a listener was told so far of one model's use. */
function told(listener: Listener, model: string) {
  const sums = listener.events.flatMap(({ data }) => recorded.parse(data).sums);
  const own = sums.filter((sum) => sum.model === model);
  const total = (figure: "requests" | "input_tokens" | "output_tokens" | "errors") =>
    own.reduce((sum, one) => sum + one[figure], 0);
  return {
    requests: total("requests"),
    input: total("input_tokens"),
    output: total("output_tokens"),
    errors: total("errors"),
    principals: [...new Set(own.map(({ principal }) => principal))],
  };
}

async function ask(bench: Bench, body: object): Promise<void> {
  await readAll(await openChat(bench, body).head);
}

test("[C8] what was used is told by the second, not by the request, to whoever may read usage", async () => {
  await using bench = await startBench();
  const { claviger, id } = bench;
  await ask(bench, chat());
  const listener = await listen(claviger, { query: "?types=usage" });
  for (let at = 0; at < 20; at += 1) await ask(bench, chat());
  await ask(bench, chat({ model: "none/model" }));
  await listener.until(() => told(listener, MODEL).requests >= 20 && told(listener, "unknown").requests > 0);
  const usage = told(listener, MODEL);
  expect(usage).toMatchObject({ requests: 20, errors: 0, principals: [id] });
  expect(usage.input).toBeGreaterThan(0);
  expect(usage.output).toBeGreaterThan(0);
  expect(told(listener, "unknown")).toMatchObject({ requests: 1, errors: 1, input: 0 });
  expect(listener.events.length).toBeLessThan(20);
});

test("[C8] what two further threads' requests used arrives, each once, and theirs is the stream as well", async () => {
  await using bench = await startBench({ workers: 3 });
  const { claviger, key } = bench;
  const viewer = (await claviger.issueKey("viewer", ["viewer"])).key;
  using held = await holdConnections(claviger, 3);
  const authorization = `Bearer ${viewer}`;
  const listener = await listen(claviger, { query: "?types=usage" });
  for (const connection of held.byThread)
    for (let at = 0; at < 3; at += 1)
      await connection.ask({
        method: "POST",
        path: "/v1/chat/completions",
        headers: { authorization: `Bearer ${key}` },
        body: chat(),
      });
  await listener.until(() => told(listener, MODEL).requests >= 9);
  expect(told(listener, MODEL)).toMatchObject({ requests: 9, errors: 0 });
  // A stream of events comes over every thread, and ends with the lock in each.
  const streams = await Promise.all(
    held.byThread.map((one) => one.open({ path: "/sse", headers: { authorization } })),
  );
  const begun = streams.map((answer) => once(answer, "data"));
  const ends = streams.map((answer) => readAll(answer));
  await Promise.all(begun);
  void claviger.app.seal.close();
  for (const text of await Promise.all(ends)) expect(text).toContain("\nevent: seal.locked\n");
});
