import { expect, test } from "vitest";
import { listen } from "#test/events/listener.ts";
import { bench, message, PATH } from "#test/gateway/anthropic-bench.ts";
import { chat, openChat, readAll, startBench } from "#test/gateway/bench.ts";
import { open } from "#test/listeners/bench.ts";
import { adminOf, freshKey, keyApi } from "./bench.ts";

const never = new Promise<void>(() => undefined);

test("[S9] [S4] a lock over the API ends running streams with an error event, in OpenAI's shape", async () => {
  await using own = await startBench();
  const api = keyApi(own.claviger, await adminOf(own.claviger));
  await api.initialize(freshKey());
  own.upstream.behave({ kind: "stall", after: 200, until: never });
  const stream = await openChat(own, chat({ stream: true })).head;
  await own.upstream.arrived(0);
  expect((await api.lock()).status).toBe(200);
  expect(await readAll(stream)).toMatch(/\n\ndata: \{"error":\{[^\n]*"code":"server_locked"\}\}\n\n$/);
});

test("[S9] [S4] a lock over the API ends running streams with an error event, in Anthropic's shape", async () => {
  await using own = await bench();
  const api = keyApi(own.claviger, await adminOf(own.claviger));
  await api.initialize(freshKey());
  own.upstream.behave({ kind: "stall", after: 600, until: never });
  const stream = await open(own.claviger.url, {
    method: "POST",
    path: PATH,
    headers: { "x-api-key": own.key, "content-type": "application/json" },
    body: JSON.stringify(message({ stream: true })),
  });
  await own.upstream.arrived(0);
  expect((await api.lock()).status).toBe(200);
  expect(await readAll(stream)).toMatch(
    /\n\nevent: error\ndata: \{"type":"error","error":\{[^\n]*"error_code":"server_locked"[^\n]*\n\n$/,
  );
});

test("[S9] [C8] who listens is told of the lock, and of the unlock when he comes back", async () => {
  await using own = await startBench();
  const api = keyApi(own.claviger, await adminOf(own.claviger));
  const key = freshKey();
  await api.initialize(key);
  const first = await listen(own.claviger, { query: "?types=seal" });
  await api.lock();
  await first.end();
  expect(first.events.map(({ type }) => type)).toEqual(["seal.locked"]);
  await api.unlock(key);
  await api.unlock(key);
  const back = await listen(own.claviger, { query: "?types=seal", from: first.lastId });
  expect((await back.count(1)).map(({ type }) => type)).toEqual(["seal.unlocked"]);
  back.cut();
});
