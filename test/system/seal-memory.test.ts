import { createSecretKey } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "#platform/lib/clock.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { send } from "#test/claviger.ts";
import { freshKey } from "#test/seal-http/bench.ts";
import { type Served, scratch, serve } from "#test/start/process.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { openSlot } from "#vault/seal/opening.ts";
import { Stretching } from "#vault/seal/passphrase.ts";
import { readStoredSeal } from "#vault/seal/store.ts";
import { unwrapTerms } from "#vault/seal/wrapping.ts";
import { countInMemory } from "./process-memory.ts";

const both = (name: string, text: string) => ({
  [name]: Buffer.from(text, "latin1"),
  [`${name}, two bytes a letter`]: Buffer.from(text, "utf16le"),
});

test("[S9] after a lock no key of the seal is left in the process's memory, and after a restart no secret at all", {
  timeout: 120_000,
}, async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  const socket = { socketPath: join(place.path, "run", "control.sock") };
  const post = async (path: string, body?: object) =>
    (await send(socket, { method: "POST", path, body })).status;
  const [passphrase, credential] = [freshKey(), `credential-${freshKey().replaceAll(/\W/g, "x")}`];
  const texts = { ...both("passphrase", passphrase), ...both("credential", credential) };
  {
    // Its garbage can be collected from outside, which wipes the keys that were dropped; a server does so in its own time.
    await using server = await serve(place.path, { env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } });
    expect(await post("/api/v1/key/initialize", { key: passphrase })).toBe(200);
    const credentials = [{ type: "api_key", value: credential }];
    const provider = { name: "sim", kind: "openai-compatible", base_url: upstream.baseUrl, credentials };
    expect(await post("/api/v1/providers", provider)).toBe(201);
    const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
    expect(await post("/v1/chat/completions", body)).toBe(200);
    const keys = await keysOf(place.path, join(place.root, "copy"), passphrase);
    const before = countInMemory(server.child.pid ?? 0, { ...keys, ...texts });
    // What is in use is there, or the search would prove nothing.
    expect(before["data key"]).toBeGreaterThan(0);
    expect(before.credential).toBeGreaterThan(0);
    expect(await post("/api/v1/key/lock")).toBe(200);
    await collectGarbage(server);
    const after = countInMemory(server.child.pid ?? 0, { ...keys, ...texts });
    console.log(before, after);
    const names = Object.keys(keys);
    expect(Object.fromEntries(names.map((name) => [name, after[name]]))).toEqual(
      Object.fromEntries(names.map((name) => [name, 0])),
    );
    await server.kill("SIGTERM");
  }
  await using server = await serve(place.path);
  expect(await post("/api/v1/key/unlock", { key: freshKey() })).toBe(403);
  const fresh = countInMemory(server.child.pid ?? 0, texts);
  expect(Object.values(fresh)).toEqual([0, 0, 0, 0]);
});

/** What the server holds while it is open, made from a copy of its store and the passphrase. */
async function keysOf(dataDir: string, copy: string, passphrase: string): Promise<Record<string, Buffer>> {
  mkdirSync(copy);
  cpSync(join(dataDir, "db"), join(copy, "db"), { recursive: true });
  await using database = await openSqlite({ dataDir: copy, clock: systemClock });
  const stored = await readStoredSeal(database.query);
  const { kek, root } = await openSlot(stored, new Secret(passphrase), new Stretching());
  const [term] = unwrapTerms(createSecretKey(root), stored.terms);
  if (term === undefined) throw new Error("the store has no term");
  return {
    "root key": Buffer.from(root),
    "data key": Buffer.from(term.bytes),
    "passphrase's key": kek.export(),
  };
}

async function collectGarbage(server: Served): Promise<void> {
  const [url] = await server.says(/ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/);
  const inspector = new WebSocket(url);
  await new Promise((resolve) => inspector.addEventListener("open", resolve));
  for (let id = 1; id <= 5; id++) {
    const answered = new Promise((resolve) => inspector.addEventListener("message", resolve, { once: true }));
    inspector.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    await answered;
  }
  inspector.close();
}
