import OpenAI from "openai";
import { expect, test } from "vitest";
import { type Bench, chat, openChat, readAll, requestRows, rowsWhen, startBench } from "./bench.ts";

const never = new Promise<void>(() => undefined);
const clientOf = (bench: Bench, maxRetries = 0) =>
  new OpenAI({ baseURL: `${bench.claviger.url}/v1`, apiKey: bench.key, maxRetries });
const revoke = (bench: Bench) =>
  bench.claviger.control({ method: "DELETE", path: `/api/v1/keys/${bench.id}` });

test("[I11] a revoked key is refused on the next request, and its running stream ends within a second with an error event", async () => {
  await using bench = await startBench();
  bench.upstream.behave({ kind: "stall", after: 200, until: never });
  const stream = await clientOf(bench).chat.completions.create({ ...chat(), stream: true });
  const read = Array.fromAsync(stream).catch((error: unknown) => error);
  const revokedAt = performance.now();
  expect((await revoke(bench)).status).toBe(204);
  expect(await read).toBeInstanceOf(OpenAI.APIError);
  expect(performance.now() - revokedAt).toBeLessThan(1000);
  const upstream = await bench.upstream.arrived(0);
  await upstream.closed;
  await expect(clientOf(bench).chat.completions.create(chat())).rejects.toBeInstanceOf(
    OpenAI.AuthenticationError,
  );
  expect((await rowsWhen(bench.claviger, 1)).map(({ status }) => status)).toEqual([401]);
});

test("[I11] a key revoked while its request still waits for the upstream is answered 401 like any unknown key", async () => {
  await using bench = await startBench();
  bench.upstream.behave({ kind: "stall", after: "request", until: never });
  const { head } = openChat(bench, chat());
  const upstream = await bench.upstream.arrived(0);
  await revoke(bench);
  const answer = await head;
  expect(answer.statusCode).toBe(401);
  await upstream.closed;
  const unknown = await bench.claviger.call({ path: "/v1/models", headers: { authorization: "Bearer no" } });
  expect(await readAll(answer)).toBe(unknown.text);
});

test("[I11] a key revoked while its body is still being sent reaches no upstream", async () => {
  await using bench = await startBench();
  const { request } = await import("node:http");
  const body = JSON.stringify(chat());
  const outgoing = request(`${bench.claviger.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${bench.key}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      expect: "100-continue",
    },
  });
  const status = new Promise<number | undefined>((resolve) =>
    outgoing.on("response", (response) => resolve(response.statusCode)),
  );
  outgoing.on("error", () => undefined);
  outgoing.flushHeaders();
  await new Promise((resolve) => outgoing.once("continue", resolve));
  outgoing.write(body.slice(0, 10));
  await revoke(bench);
  outgoing.end(body.slice(10));
  expect(await status).toBe(401);
  expect(bench.upstream.requests).toHaveLength(0);
});

test("[S9] locking ends running streams with an error event, and what waits with 503", async () => {
  await using bench = await startBench();
  bench.upstream.behave({ kind: "stall", after: 200, until: never });
  const stream = await openChat(bench, chat({ stream: true })).head;
  bench.upstream.behave({ kind: "stall", after: "request", until: never });
  const waiting = openChat(bench, chat()).head;
  const calls = await Promise.all([bench.upstream.arrived(0), bench.upstream.arrived(1)]);
  void bench.claviger.app.seal.close();
  const text = await readAll(stream);
  expect(text).toMatch(/\n\ndata: \{"error":\{[^\n]*"code":"server_locked"\}\}\n\n$/);
  expect((await waiting).statusCode).toBe(503);
  await Promise.all(calls.map(({ closed }) => closed));
});

test("[S4] a locked gateway is 503 server_locked in the dialect, on every path, and the client does not repeat it", async () => {
  await using bench = await startBench();
  const before = await requestRows(bench.claviger);
  void bench.claviger.app.seal.close();
  const headers = { authorization: `Bearer ${bench.key}` };
  for (const path of ["/v1/models", "/v1/models/x", "/v1/nothing", "/v1", "/v1/chat/completions/"]) {
    const answer = await bench.claviger.call({ path, headers });
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({ "x-claviger-locked": "true", "x-should-retry": "false" });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(answer.json).toMatchObject({ error: { type: "server_error", code: "server_locked" } });
  }
  // Another thread's lines come a moment later.
  const lines = () => bench.claviger.logged().split('"code":"server_locked"').length - 1;
  await expect.poll(lines).toBe(5);
  const refused = await clientOf(bench, 3)
    .chat.completions.create(chat())
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 503, code: "server_locked" });
  await expect.poll(lines).toBe(6);
  expect(bench.upstream.requests).toHaveLength(0);
  expect(before).toEqual([]);
});
