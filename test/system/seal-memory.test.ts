import { createSecretKey } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "#platform/lib/clock.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { send } from "#test/claviger.ts";
import { lowThreads } from "#test/low-threads.ts";
import { fillSecrets } from "#test/seal/fill-secrets.ts";
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
  timeout: 400_000,
}, async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  const socket = { socketPath: join(place.path, "run", "control.sock") };
  const post = async (path: string, body?: object) =>
    (await send(socket, { method: "POST", path, body })).status;
  const [first, passphrase, credential] = [
    freshKey(),
    freshKey(),
    `credential-${freshKey().replaceAll(/\W/g, "x")}`,
  ];
  const texts = { ...both("passphrase", passphrase), ...both("credential", credential) };
  {
    // Its garbage can be collected from outside, which wipes the keys that were dropped; a server does so in its own time.
    await using server = await serve(place.path, { env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } });
    expect(await post("/api/v1/key/initialize", { key: first })).toBe(200);
    const credentials = [{ type: "api_key", value: credential }];
    const provider = { name: "sim", kind: "openai-compatible", base_url: upstream.baseUrl, credentials };
    expect(await post("/api/v1/providers", provider)).toBe(201);
    const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
    expect(await post("/v1/chat/completions", body)).toBe(200);
    const older = await keysOf(place.path, join(place.root, "older"), first);
    expect(await post("/api/v1/key/rotate", { current_key: first, new_key: passphrase })).toBe(200);
    const newer = await keysOf(place.path, join(place.root, "newer"), passphrase);
    const keys = { ...named("first", older), ...named("present", newer) };
    const before = countInMemory(server.child.pid ?? 0, { ...keys, ...texts });
    // What is in use is there, or the search would prove nothing.
    expect(before["present data key 3"]).toBeGreaterThan(0);
    expect(before.credential).toBeGreaterThan(0);
    expect(await post("/api/v1/key/lock")).toBe(200);
    expect(await post("/api/v1/key/unlock", { key: passphrase })).toBe(200);
    expect(await post("/api/v1/key/lock")).toBe(200);
    await collectGarbage(server);
    const after = countInMemory(server.child.pid ?? 0, { ...keys, ...texts });
    const names = Object.keys(keys);
    expect(Object.fromEntries(names.map((name) => [name, after[name]]))).toEqual(noneOf(keys));
    await server.kill("SIGTERM");
  }
  await using server = await serve(place.path);
  expect(await post("/api/v1/key/unlock", { key: freshKey() })).toBe(403);
  const fresh = countInMemory(server.child.pid ?? 0, texts);
  expect(Object.values(fresh)).toEqual([0, 0, 0, 0]);
});

test("[S9] after a lock in the middle of a rotation over many secrets no key is left in memory, of no thread", {
  timeout: 400_000,
}, async () => {
  using place = scratch();
  await fillSecrets(place.path, MANY);
  const socket = { socketPath: join(place.path, "run", "control.sock") };
  const ask = async (method: string, path: string, body?: object) =>
    send(socket, { method, path: `/api/v1/key${path}`, body });
  const [first, second] = [freshKey(), freshKey()];
  await using server = await serve(place.path, { env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } });
  expect((await ask("POST", "/initialize", { key: first })).status).toBe(200);
  const rotating = ask("POST", "/rotate", { current_key: first, new_key: second });
  // Beyond its first pages: the thread is at work.
  while (progressShape.parse((await ask("GET", "/reseal")).json).done === 0) await nextTurn();
  const pid = server.child.pid ?? 0;
  expect(lowThreads(pid)).toBe(1);
  expect((await ask("POST", "/lock")).status).toBe(200);
  expect((await rotating).status).toBe(409);
  expect(lowThreads(pid)).toBe(0);
  await collectGarbage(server);
  const keys = await keysOf(place.path, join(place.root, "copy"), second);
  expect(Object.keys(keys)).toEqual(expect.arrayContaining(["data key 2", "data key 3"]));
  expect(countInMemory(pid, keys)).toEqual(noneOf(keys));
  // What is in use is there, or the search would prove nothing.
  expect((await ask("POST", "/unlock", { key: second })).status).toBe(200);
  expect(countInMemory(pid, keys)["data key 3"]).toBeGreaterThan(0);
});

const MANY = 20_000;

const noneOf = (keys: Record<string, Buffer>) =>
  Object.fromEntries(Object.keys(keys).map((name) => [name, 0]));

const progressShape = z.object({ done: z.number() });

const named = (which: string, keys: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(keys).map(([name, bytes]) => [`${which} ${name}`, bytes]));

/** What the server holds while it is open, made from a copy of its store and the passphrase. */
async function keysOf(dataDir: string, copy: string, passphrase: string): Promise<Record<string, Buffer>> {
  mkdirSync(join(copy, "db"), { recursive: true });
  // By SQLite: the files of a server that runs change while they are copied.
  using store = new DatabaseSync(join(dataDir, "db", "data.sqlite"), { readOnly: true, timeout: 60_000 });
  store.prepare("VACUUM INTO ?").run(join(copy, "db", "data.sqlite"));
  await using database = await openSqlite({ dataDir: copy, clock: systemClock });
  const stored = await readStoredSeal(database.query);
  const { kek, root } = await openSlot(stored, new Secret(passphrase), new Stretching());
  const terms = unwrapTerms(createSecretKey(root), stored.terms);
  return {
    "root key": Buffer.from(root),
    "passphrase's key": kek.export(),
    ...Object.fromEntries(terms.map(({ term, bytes }) => [`data key ${term}`, Buffer.from(bytes)])),
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
