import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send } from "#test/claviger.ts";
import { fillSecrets } from "#test/seal/fill-secrets.ts";
import { freshKey } from "#test/seal-http/bench.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { bundle } from "../../tools/bundle.ts";
import { runProgram } from "./run-program.ts";
import { startProgram } from "./running-program.ts";

const CACHE = path.resolve(import.meta.dirname, "../../.cache");
let directory: string;
let program: string;
let outside: readonly string[];

// Below the checkout, where the packages that stay outside are found as they are beside an installed bundle.
beforeAll(async () => {
  mkdirSync(CACHE, { recursive: true });
  directory = mkdtempSync(path.join(CACHE, "bundle-"));
  program = path.join(directory, "dist", "claviger.js");
  outside = await bundle(path.dirname(program));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const scriptsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith(".js"));

test("the bundle holds all but the native packages, and every thread it starts", () => {
  const names = scriptsIn(path.dirname(program));
  expect(names).toEqual(expect.arrayContaining(["claviger.js", "sqlite-thread.js"]));
  const text = names.map((name) => readFileSync(path.join(path.dirname(program), name), "utf8")).join("\n");
  const own = [...text.matchAll(/new URL\("\.\/([\w.-]+)", import\.meta\.url\)/g)].map(([, name]) => name);
  expect(own).toEqual(expect.arrayContaining(["sqlite-thread.js", "sealing-thread.js"]));
  expect(names).toEqual(expect.arrayContaining(own));
  expect(outside.filter((name) => !name.startsWith("@node-rs/"))).toEqual([]);
});

test.each([
  ["worker-thread.js", "zod"],
  ["sqlite-thread.js", "zod"],
  ["sealing-thread.js", "zod"],
  ["sealing-thread.js", "kysely"],
  ["claviger.js", "fastify"],
  ["claviger.js", "kysely"],
  ["claviger.js", "jose"],
])("%s does not load %s at once, which would take time and memory for nothing", (own, library) => {
  const folder = path.dirname(program);
  const textOf = (name: string) => readFileSync(path.join(folder, name), "utf8");
  const holders = scriptsIn(folder).filter((name) => textOf(name).includes(`node_modules/${library}/`));
  expect(holders).not.toEqual([]);
  // Itself, and the pieces that are imported at once, by whichever of them.
  const loaded = new Set([own]);
  for (const name of loaded)
    for (const [, piece = ""] of textOf(name).matchAll(/^(?:import|\} from) .*"\.\/([\w-]+\.js)"/gm))
      loaded.add(piece);
  expect(loaded.size).toBeGreaterThan(own === "claviger.js" ? 5 : 0);
  expect(holders.filter((name) => loaded.has(name))).toEqual([]);
});

test("the bundle is without the parts of packages that nothing in it uses", () => {
  const folder = path.dirname(program);
  const texts = scriptsIn(folder).map((name) => readFileSync(path.join(folder, name), "utf8"));
  for (const library of ["ajv", "light-my-request"])
    expect(texts.filter((text) => text.includes(`node_modules/${library}/`))).toEqual([]);
});

test("the bundle serves: a key made by its command line reaches the upstream, SIGTERM ends it", async () => {
  await using upstream = await startUpstream();
  const where = ["--data-dir", path.join(directory, "data")];
  const env = { PATH: process.env.PATH, HOME: directory };
  const command = async (args: readonly string[], stdin = "") => {
    const run = await runProgram(process.execPath, [program, ...args, ...where, "--json"], { env, stdin });
    expect(run.status, run.stderr).toBe(0);
    return JSON.parse(run.stdout);
  };
  const serve = [program, "serve", "--listen", "127.0.0.1:0", ...where];
  await using server = startProgram(process.execPath, serve, { env });
  const [, url = ""] = await server.hears(/listens on (http:\S+)/);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const page = await (await fetch(url, { headers: { accept: "text/html" } })).text();
  const [, script = "none"] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
  expect((await fetch(`${url}${script}`)).headers.get("content-type")).toBe("text/javascript; charset=utf-8");

  const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
  await command(add, "upstream-credential-0001\n");
  const { key } = await command(["api-key", "create", "app"]);
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "Hello." } }] });
  const sent = upstream.requests.filter(({ path: asked }) => asked === "/v1/chat/completions");
  expect(sent).toHaveLength(1);
  expect(sent[0]?.rawHeaders).toContain("Bearer upstream-credential-0001");
  expect(await server.end("SIGTERM")).toBe(0);
});

test("[S7] the bundle rotates the server key over many secrets, with the thread that it starts for that", async () => {
  const dataDir = path.join(directory, "many");
  await fillSecrets(dataDir, MANY);
  const env = { PATH: process.env.PATH, HOME: directory };
  const serve = [program, "serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir];
  await using server = startProgram(process.execPath, serve, { env });
  await server.hears(/listens on (http:\S+)/);
  const socket = { socketPath: path.join(dataDir, "run", "control.sock") };
  const post = (verb: string, body: object) =>
    send(socket, { method: "POST", path: `/api/v1/key/${verb}`, body });
  const key = freshKey();
  expect((await post("initialize", { key })).status).toBe(200);
  const rotated = await post("rotate", { current_key: key, new_key: freshKey() });
  // And one of the server's own.
  expect(rotated).toMatchObject({ status: 200, json: { resealed: MANY + 1, skipped: 0, failed: [] } });
  expect(await server.end("SIGTERM")).toBe(0);
});

/** As many as are worth a thread. */
const MANY = 1_000;
