import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { claviger, type Served, scratch, serve } from "./process.ts";

vi.setConfig({ testTimeout: 60_000 });

const WINDOW = 16;
const TALKATIVE = { LOG_LEVEL: "trace", ENABLE_REQUEST_LOGS: "true" };

test("[I10][G3] after kill -9 no file and no output has a credential, a key's secret or a prompt, in part or in code", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  // Characters that base64 and URLs write otherwise are in it on purpose.
  const credential = `up+${systemRandom.bytes(36).toString("base64")}/=`;
  const prompt = `canary ${systemRandom.bytes(24).toString("base64")}`;
  const answers: string[] = [];
  let key = "";
  {
    await using server = await serve(place.path, { env: TALKATIVE });
    answers.push(await addProvider(place.path, "sim", upstream, credential));
    key = await createKey(place.path);
    for (const kind of ["ok", "echo-credential"] as const) {
      upstream.behave({ kind });
      for (const stream of [false, true]) answers.push((await chat(server.url, key, prompt, stream)).text);
    }
    upstream.behave({ kind: "ok" });
    answers.push((await chat(server.url, `${key.slice(0, -1)}!`, prompt, false)).text);
    for (const command of [["provider", "list", "--json"], ["api-key", "list", "--json"], ["status"]]) {
      const { stdout, stderr } = await claviger([...command, "--data-dir", place.path]);
      answers.push(stdout, stderr);
    }
    const ended = await server.kill("SIGKILL");
    answers.push(ended.stdout, ended.stderr);
  }
  expect(upstream.requests.some(({ rawHeaders }) => rawHeaders.includes(`Bearer ${credential}`))).toBe(true);
  expect(JSON.stringify(upstream.requests.map(({ rawHeaders }) => rawHeaders))).not.toContain(key);
  const places = [
    ...filesUnder(place.path),
    ...answers.map((text, at) => [`answer ${at}`, Buffer.from(text)] as const),
  ];
  expect(places.map(([name]) => name)).toContain(join(place.path, "db", "data.sqlite-wal"));
  for (const secret of [credential, secretPart(key)]) expect(findIn(places, secret)).toEqual([]);
  expect(
    findIn(
      places.filter(([name]) => !name.startsWith("answer")),
      prompt,
    ),
  ).toEqual([]);
  await using again = await serve(place.path);
  expect((await chat(again.url, key, prompt, false)).status).toBe(200);
  expect(upstream.requests.at(-1)?.rawHeaders).toContain(`Bearer ${credential}`);
});

test("the search finds each code of a text, wherever it stands, and so would have found a leak", () => {
  const text = `s+/${systemRandom.bytes(30).toString("base64")}`;
  const part = text.slice(3, 3 + WINDOW + 4);
  const leaks = ["", "a", "ab"].flatMap((before) => [
    before + part,
    Buffer.from(before + part).toString("hex"),
    Buffer.from(before + part)
      .toString("hex")
      .toUpperCase(),
    Buffer.from(before + part).toString("base64"),
    Buffer.from(before + part).toString("base64url"),
    encodeURIComponent(before + part),
  ]);
  for (const leak of leaks) expect(findIn([["leak", Buffer.from(leak)]], text)).not.toEqual([]);
  expect(findIn([["other", systemRandom.bytes(4096)]], text)).toEqual([]);
});

test("[S12] sealed credentials swapped between two rows, or changed by a byte, are errors and are sent to no one", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  {
    await using server = await serve(place.path);
    for (const name of ["one", "two", "three"])
      await addProvider(place.path, name, upstream, `${name}-${freshText()}`);
    await server.kill("SIGTERM");
  }
  const store = new DatabaseSync(join(place.path, "db", "data.sqlite"), { timeout: 5000 });
  const rows = store
    .prepare("SELECT c.id, p.name, c.sealed FROM credential c JOIN provider p ON p.id = c.provider_id")
    .all();
  const sealedOf = (name: string) => {
    const sealed = rows.find((row) => row.name === name)?.sealed;
    return sealed instanceof Uint8Array ? sealed : new Uint8Array();
  };
  const changed = new Uint8Array(sealedOf("three"));
  changed[changed.length - 20] = (changed[changed.length - 20] ?? 0) ^ 1;
  const write = store.prepare("UPDATE credential SET sealed = ? WHERE id = ?");
  const swapped = new Map([
    ["one", sealedOf("two")],
    ["two", sealedOf("one")],
    ["three", changed],
  ]);
  for (const { id, name } of rows) write.run(swapped.get(String(name)) ?? new Uint8Array(), String(id));
  store.close();
  await using server = await serve(place.path);
  const key = await createKey(place.path);
  const before = upstream.requests.length;
  for (const name of ["one", "two", "three"]) {
    const { status } = await chat(server.url, key, "hello", false, `${name}/sim-1`);
    expect(status).toBeGreaterThanOrEqual(500);
  }
  expect(upstream.requests.slice(before)).toEqual([]);
});

test("[S1] a fresh server says that encryption is not yet enabled, and takes users' providers and keys and serves", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serve(place.path);
  expect(await server.says(/"msg":"server started; encryption not yet enabled"/)).toBeTruthy();
  await addProvider(place.path, "sim", upstream, freshText());
  const key = await createKey(place.path);
  for (const stream of [false, true]) expect((await chat(server.url, key, "hello", stream)).status).toBe(200);
  const status = await (await fetch(`${server.url}/api/v1/key/status`)).json();
  expect(status).toEqual({ initialized: false, unlocked: true });
});

test("[I11] a revoked key is refused on the next request, also over a connection that is open", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serve(place.path);
  await addProvider(place.path, "sim", upstream, freshText());
  const made = await claviger(["api-key", "create", "program", "--json", "--data-dir", place.path]);
  const { key, id } = JSON.parse(made.stdout);
  expect((await chat(server.url, key, "hello", false)).status).toBe(200);
  expect((await claviger(["api-key", "revoke", id, "--data-dir", place.path])).status).toBe(0);
  expect((await chat(server.url, key, "hello", false)).status).toBe(401);
});

type Place = readonly [name: string, bytes: Buffer];

/** Which of the places have a piece of `secret`, in which code. */
function findIn(places: readonly Place[], secret: string): string[] {
  const needles = Array.from({ length: secret.length - WINDOW + 1 }, (_, at) =>
    secret.slice(at, at + WINDOW),
  ).flatMap(codesOf);
  return places.flatMap(([name, bytes]) =>
    needles.filter((needle) => bytes.includes(needle)).map((needle) => `${name}: ${needle}`),
  );
}

/** A text as it is, in hexadecimal, URL-coded, and in base64 at each of the three places it can begin at. */
function codesOf(text: string): string[] {
  const hex = Buffer.from(text).toString("hex");
  const base64 = [0, 1, 2].map((shift) => {
    const coded = Buffer.from("\0".repeat(shift) + text).toString("base64");
    // What also depends on the neighbours is cut off at both ends.
    const whole = Math.floor(((shift + text.length) * 8) / 6);
    return coded.slice(Math.ceil((shift * 8) / 6), whole);
  });
  const urlSafe = base64.map((coded) => coded.replaceAll("+", "-").replaceAll("/", "_"));
  return [text, hex, hex.toUpperCase(), encodeURIComponent(text), ...base64, ...urlSafe];
}

function filesUnder(directory: string): Place[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path)] as const);
}

/** The part of `sk-claviger-ID_SECRET` behind the id. */
function secretPart(key: string): string {
  return key.slice(key.lastIndexOf("_") + 1);
}

async function addProvider(
  dataDir: string,
  name: string,
  upstream: Upstream,
  credential: string,
): Promise<string> {
  const add = ["provider", "add", name, "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
  const { status, stdout, stderr } = await claviger([...add, "--data-dir", dataDir], {
    input: `${credential}\n`,
  });
  expect(status, stderr).toBe(0);
  return stdout + stderr;
}

async function createKey(dataDir: string): Promise<string> {
  const made = await claviger([
    "api-key",
    "create",
    `program-${freshText()}`,
    "--json",
    "--data-dir",
    dataDir,
  ]);
  expect(made.status, made.stderr).toBe(0);
  return JSON.parse(made.stdout).key;
}

async function chat(
  url: Served["url"],
  key: string,
  prompt: string,
  stream: boolean,
  model = "sim/sim-1",
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream, messages: [{ role: "user", content: prompt }] }),
  });
  return { status: response.status, text: JSON.stringify([...response.headers]) + (await response.text()) };
}

function freshText(): string {
  return systemRandom.bytes(12).toString("hex");
}
