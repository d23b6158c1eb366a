import { request as httpRequest, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { readAll } from "#test/gateway/bench.ts";
import { UPSTREAM_MODEL } from "#test/upstream.ts";
import { type FileBench, newPair, startFileBench } from "./file.ts";

const identity = (hash: string) => ({
  resource_type: "Identity",
  credential: { api_key: hash },
  permissions: "gateway",
});
const listener = (auth: readonly string[], at = "127.0.0.1:0") => ({
  resource_type: "HttpServer",
  listen_addr: at,
  auth,
});

/** A stream that stalls after its first bytes until `until` settles; it has begun. */
async function openStream(bench: FileBench, bearer: string, until: Promise<void>): Promise<IncomingMessage> {
  bench.upstream.behave({ kind: "stall", after: 200, until });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const url = `${bench.claviger.app.urls[0]}/v1/chat/completions`;
    const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
    const outgoing = httpRequest(url, { method: "POST", headers, agent: false }, resolve);
    outgoing.on("error", reject);
    const messages = [{ role: "user", content: "Hello" }];
    outgoing.end(JSON.stringify({ model: `sim/${UPSTREAM_MODEL}`, messages, stream: true }));
  });
  expect(answer.statusCode).toBe(200);
  return answer;
}

const never = new Promise<void>(() => undefined);

test.each([
  1, 2,
])("[I11] [I13] what runs for an identity that a reload removes, or gives another key, is ended, with %i threads", async (workers) => {
  const [gone, changed, next] = [newPair(), newPair(), newPair()];
  await using bench = await startFileBench(
    (sim) => ({
      sim,
      gone: identity(gone.hash),
      changed: identity(changed.hash),
      main: listener(["gone", "changed"]),
    }),
    { workers },
  );
  const streams = [
    await openStream(bench, gone.key, never),
    await openStream(bench, gone.key, never),
    await openStream(bench, changed.key, never),
  ];
  bench.write({ sim: bench.provider, changed: identity(next.hash), main: listener(["changed"]) });
  const begun = performance.now();
  expect((await bench.reload()).status).toBe(200);
  for (const stream of streams) {
    const text = await readAll(stream);
    expect(text).toContain('"code":"invalid_token"');
    expect(text).not.toContain("[DONE]");
  }
  expect(performance.now() - begun).toBeLessThan(1000);
});

test("[I13] a listener that a reload removes takes nobody new, and finishes what it has", async () => {
  const app = newPair();
  const others = { app: identity(app.hash), stays: listener(["app"], "[::1]:0") };
  await using bench = await startFileBench((sim) => ({ sim, goes: listener(["app"]), ...others }));
  const [goes = "", stays = ""] = bench.claviger.app.urls;
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  const stream = await openStream(bench, app.key, goOn);
  bench.write({ sim: bench.provider, ...others });
  const reloading = bench.reload();
  while (bench.claviger.app.urls.includes(goes)) await new Promise(setImmediate);
  bench.upstream.behave({ kind: "ok" });
  expect(await bench.chat(app.key, stays)).toBe(200);
  resolve();
  expect(await readAll(stream)).toContain("[DONE]");
  expect((await reloading).status).toBe(200);
  await expect(fetch(goes)).rejects.toThrow("fetch failed");
});

test("[I12] the last use tells who still has the old identity", async () => {
  const [old, next] = [newPair(), newPair()];
  await using bench = await startFileBench((sim) => ({
    sim,
    old: identity(old.hash),
    next: identity(next.hash),
    main: listener(["old", "next"]),
  }));
  expect(await bench.chat(next.key)).toBe(200);
  const { json } = await bench.claviger.control({ path: "/api/v1/identities" });
  expect(json).toMatchObject({
    data: [
      { name: "next", last_used_at: expect.stringMatching(/^\d{4}-/) },
      { name: "old", last_used_at: null },
    ],
  });
});
