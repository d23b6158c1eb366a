import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { startClaviger } from "../claviger.ts";
import { claviger, Program, scratch, serve } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";

vi.setConfig({ testTimeout: 60_000 });

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("[I8] generate prints a key and its hash once, needs no server, and a second call gives another pair", async () => {
  using place = scratch();
  const env = { DATA_DIR: place.path };
  const human = await claviger(["api-key", "generate"], { env });
  expect(human.stdout).toMatch(
    /^Generated Private Key: sk-claviger-\w+_\w+\nSecure Public Hash: [\w+/=]+\n$/,
  );
  const pair = JSON.parse((await claviger(["api-key", "generate", "--json"], { env })).stdout);
  expect(Object.keys(pair).sort()).toEqual(["private_key", "public_hash"]);
  expect(Buffer.from(pair.public_hash, "base64").toString()).toMatch(/^sha256\$/);
  expect(human.stdout).not.toContain(pair.private_key);
});

test("[I9] validate takes the key from stdin or --key, says of white space, and 0, 1, 2 are yes, no, malformed", async () => {
  const { private_key: key, public_hash: hash } = await pair();
  const other = await pair();
  const yes = await claviger(["api-key", "validate", hash], { input: `${key}\n` });
  expect([yes.status, yes.stdout]).toEqual([0, "Key is valid\n"]);
  const given = await claviger(["api-key", "validate", hash, "--key", `  ${key} `]);
  expect([given.status, given.stdout]).toEqual([0, "Key is valid\n"]);
  expect(given.stderr).toMatch(/white space/i);
  const no = await claviger(["api-key", "validate", hash], { input: `${other.private_key}\n` });
  expect(no.status).toBe(1);
  expect(no.stdout).toMatch(/^Key is NOT valid: \S/);
  for (const malformed of ["not-a-hash!", Buffer.from("md5$abc").toString("base64"), hash.slice(4)]) {
    const refused = await claviger(["api-key", "validate", malformed], { input: `${key}\n` });
    expect(refused.status).toBe(2);
    expect(refused.stdout).toMatch(/malformed: \S/);
  }
  const json = await claviger(["api-key", "validate", hash, "--json"], { input: `${key}\n` });
  expect(JSON.parse(json.stdout)).toMatchObject({ valid: true });
});

test("[H2][L1] providers by command: added with the credential from stdin, listed by hint, replaced, removed", async () => {
  using place = scratch();
  await using upstream = await startUpstream();
  await using server = await serve(place.path);
  const dir = ["--data-dir", place.path];
  const add = [
    "provider",
    "add",
    "sim",
    "--kind",
    "openai-compatible",
    "--base-url",
    upstream.baseUrl,
    ...dir,
  ];
  const [first, second] = [`first-${freshText()}`, `second-${freshText()}`];
  const added = await claviger([...add, "--json"], { input: `${first}\n` });
  expect(added.status, added.stderr).toBe(0);
  expect(JSON.parse(added.stdout)).toMatchObject({ name: "sim", base_url: upstream.baseUrl });
  expect((await claviger(add, { input: `${first}\n` })).status).toBe(EXIT.data);
  const [row] = JSON.parse((await claviger(["provider", "list", "--json", ...dir])).stdout);
  expect(row.credentials).toBe(`…${first.slice(-4)}`);
  const replaced = await claviger(["provider", "set-credential", "sim", ...dir], { input: `${second}\n` });
  expect(replaced.status, replaced.stderr).toBe(0);
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
  expect(upstream.requests.at(-1)?.rawHeaders).toContain(`Bearer ${second}`);
  expect((await claviger(["provider", "remove", "sim", ...dir])).status).toBe(0);
  expect(JSON.parse((await claviger(["provider", "list", "--json", ...dir])).stdout)).toEqual([]);
});

test("[H3] limits by command: answered by the server, listed, and wrong ones refused", async () => {
  using place = scratch();
  await using server = await serve(place.path);
  const dir = ["--data-dir", place.path];
  const create = (name: string, ...limits: string[]) =>
    claviger(["api-key", "create", name, "--json", ...limits, ...dir]);
  const made = await create("slow", "--requests-per-minute", "1", "--concurrency", "2");
  expect(made.status, made.stderr).toBe(0);
  const { key } = JSON.parse(made.stdout);
  const use = () => fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  expect([(await use()).status, (await use()).status]).toEqual([200, 429]);
  const all = ["--tokens-per-minute", "1000", "--tokens-per-day", "5000", "--spend-usd-per-month", "2.5"];
  expect((await create("dear", ...all)).status).toBe(0);
  expect(JSON.parse((await claviger(["api-key", "list", "--json", ...dir])).stdout)).toMatchObject([
    { name: "dear", limits: "tokens_per_minute=1000 tokens_per_day=5000 spend_usd_per_month=2.5" },
    { name: "slow", limits: "requests_per_minute=1 concurrency=2" },
  ]);
  for (const wrong of ["0", "-1", "many", ""]) {
    const refused = await create("wrong", "--concurrency", wrong);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain("concurrency");
  }
});

test("[H3][I10] keys by command: shown once, listed by their end, revoked for the next request", async () => {
  using place = scratch();
  await using server = await serve(place.path);
  const dir = ["--data-dir", place.path];
  const made = JSON.parse((await claviger(["api-key", "create", "my-app", "--json", ...dir])).stdout);
  const use = async () =>
    (await fetch(`${server.url}/v1/models`, { headers: { authorization: `Bearer ${made.key}` } })).status;
  expect(await use()).toBe(200);
  const list = await claviger(["api-key", "list", "--json", ...dir]);
  expect(list.stdout).not.toContain(made.key);
  expect(JSON.parse(list.stdout)).toMatchObject([{ id: made.id, name: "my-app", last4: made.key.slice(-4) }]);
  expect((await claviger(["api-key", "revoke", made.id, ...dir])).status).toBe(0);
  expect(await use()).toBe(401);
});

test("[L1] servers run beside each other, and each command finds its own by --data-dir or DATA_DIR", async () => {
  using one = scratch();
  using two = scratch();
  await using first = await serve(one.path);
  await using second = await serve(two.path);
  const pidOf = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
    JSON.parse((await claviger(["status", "--json", ...args], { env })).stdout).pid;
  expect(await pidOf(["--data-dir", one.path], {})).toBe(first.child.pid);
  expect(await pidOf([], { DATA_DIR: two.path })).toBe(second.child.pid);
  expect(await pidOf(["--data-dir", one.path], { DATA_DIR: two.path })).toBe(first.child.pid);
});

test("[L1] --listen replaces the listeners, for each address given", async () => {
  using place = scratch();
  await using server = await serve(place.path, { args: ["--listen", "[::1]:0"] });
  const status = JSON.parse((await claviger(["status", "--json", "--data-dir", place.path])).stdout);
  expect(status.listeners).toHaveLength(2);
  for (const url of status.listeners) expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(status.listeners[0]).toBe(server.url);
});

test("[L1] a secret on a pipe that stays open is taken line by line, and the command ends", async () => {
  using place = scratch();
  await using _server = await serve(place.path);
  const add = [
    "provider",
    "add",
    "sim",
    "--kind",
    "openai-compatible",
    "--base-url",
    "http://127.0.0.1:9/v1",
  ];
  await using program = new Program([...add, "--data-dir", place.path], {});
  program.child.stdin?.write(`${freshText()}\n`);
  expect((await program.ended).status).toBe(0);
});

test("the lines the start offers to copy work as they are, for a data directory with a space in its name", async () => {
  using place = scratch();
  const dataDir = join(place.root, "my data");
  await using server = await serve(dataDir);
  const { 0: greeting } = await server.says(/Next, in another terminal[\s\S]*with that key\./);
  const lines = greeting.split("\n").filter((line) => line.startsWith("  "));
  expect(lines).toHaveLength(2);
  // The launcher is tested by itself; here the same words go to the same program.
  const launcher = /^ {2}(\S*bin\/claviger) /.exec(lines[0] ?? "")?.[1] ?? "";
  const run = `${[process.execPath, ...NODE_FLAGS.sources].join(" ")} ${join(ROOT, "src/main.ts")}`;
  for (const line of lines) {
    // As it is the line adds a provider out there, whose models the server would ask for.
    const elsewhere = line.includes("provider add") ? " --base-url http://127.0.0.1:9/v1" : "";
    const shell = spawn("sh", ["-c", line.replace(launcher, run) + elsewhere], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    shell.stdin.end(`${freshText()}\n`);
    expect(await new Promise((resolve) => shell.once("close", resolve))).toBe(0);
  }
  expect(greeting).toContain(`${server.url}/v1`);
});

test("a locked server is told from one that runs and from one that does not, by words and exit status", async () => {
  await using running = await startClaviger();
  const status = (...more: string[]) => claviger(["status", "--data-dir", running.dataDir, ...more]);
  expect((await status()).status).toBe(0);
  void running.app.seal.close();
  const locked = await status();
  expect(locked.status).toBe(EXIT.tryAgain);
  expect(locked.stdout).toContain("locked");
  expect(JSON.parse((await status("--json")).stdout)).toMatchObject({ unlocked: false });
  expect((await claviger(["provider", "list", "--data-dir", running.dataDir])).status).toBe(EXIT.tryAgain);
  await running.app.close();
  const gone = await status();
  expect(gone.status).toBe(EXIT.notRunning);
  expect(gone.stderr).toContain(`no server is running on ${running.dataDir}`);
});

test("a reader that leaves early is no failure", async () => {
  using place = scratch();
  await using _server = await serve(place.path);
  await using program = new Program(["api-key", "list", "--data-dir", place.path], {});
  program.child.stdout?.destroy();
  const { status, stderr } = await program.ended;
  expect([status, stderr]).toEqual([0, ""]);
});

test("[L2] exit statuses are those of the document, and each can happen", async () => {
  using place = scratch();
  const document = readFileSync(join(ROOT, "docs", "exit-codes.md"), "utf8");
  const rows = [...document.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, code, name]) => [
    name,
    Number(code),
  ]);
  expect(Object.fromEntries(rows)).toEqual(EXIT);
  const dir = ["--data-dir", place.path];
  const file = join(place.root, "file");
  writeFileSync(file, "");
  const key = join(place.root, "key");
  writeFileSync(key, freshText(), { mode: 0o400 });
  await using server = await serve(place.path);
  const cases: [number, readonly string[], string?][] = [
    [EXIT.ok, ["status", ...dir]],
    [EXIT.failed, ["api-key", "validate", (await pair()).public_hash], "sk-claviger-wrong\n"],
    [EXIT.refusedValue, ["api-key", "validate", "?"], "sk-claviger-wrong\n"],
    [EXIT.usage, ["statsu"]],
    [EXIT.usage, ["provider", "add", "sim", ...dir]],
    [EXIT.data, ["api-key", "revoke", "key_none", ...dir]],
    [EXIT.notRunning, ["status", "--data-dir", join(place.root, "none")]],
    [EXIT.cannotCreate, ["serve", "--data-dir", "/proc/claviger"]],
    [EXIT.tryAgain, ["serve", ...dir, "--listen", "127.0.0.1:0"]],
    [EXIT.wrongServer, ["status", "--url", server.url.replace("http", "https"), "--api-key-file", key]],
    [EXIT.configuration, ["serve", "--data-dir", file]],
  ];
  for (const [code, args, input] of cases) {
    const { status, stderr } = await claviger(args, input === undefined ? {} : { input });
    expect(`${args.join(" ")}: ${status}`).toBe(`${args.join(" ")}: ${code}`);
    expect(stderr).not.toMatch(/\n {4}at /);
  }
});

test("[L2] a refusal by the server is its exit status and its code in JSON", async () => {
  using place = scratch();
  const socket = join(place.path, "run", "control.sock");
  mkdirSync(join(place.path, "run"), { recursive: true });
  const server = createServer((_request, response) => {
    response.writeHead(403, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ code: "forbidden", title: "This principal lacks the permission." }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const { status, stderr } = await claviger(["status", "--json", "--data-dir", place.path]);
  expect(status).toBe(EXIT.notPermitted);
  expect(JSON.parse(stderr)).toEqual({
    error: { message: "This principal lacks the permission.", exit_code: 77, code: "forbidden" },
  });
  await new Promise((resolve) => server.close(resolve));
});

test("[L2] the completion script completes commands and options of the place", async () => {
  const { stdout, status } = await claviger(["completion", "bash"]);
  expect(status).toBe(0);
  const complete = async (...words: string[]) => {
    const typed = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(claviger ${typed}); COMP_CWORD=${words.length}; _claviger; printf '%s ' "\${COMPREPLY[@]}"`;
    const bash = spawn("bash", ["--norc", "-c", `${stdout}\n${ask}`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    bash.stdout.on("data", (chunk: Buffer) => (text += chunk));
    await new Promise((resolve) => bash.once("close", resolve));
    return text.trim();
  };
  expect(await complete("prov")).toBe("provider");
  expect(await complete("api-key", "v")).toBe("validate");
  expect(await complete("api-key", "create", "my-app", "--perm")).toBe("--permissions");
  for (const shell of ["zsh", "fish"])
    expect((await claviger(["completion", shell])).stdout).toContain("set-credential");
  expect((await claviger(["completion", "tcsh"])).status).toBe(EXIT.usage);
});

test("[L1] bin/claviger runs the command from anywhere, also by a symbolic link", async () => {
  using place = scratch();
  const link = join(place.root, "claviger");
  symlinkSync(join(ROOT, "bin", "claviger"), link);
  const path = `${join(process.execPath, "..")}:${process.env.PATH}`;
  const child = spawn(link, ["--version"], { cwd: place.root, env: { PATH: path, HOME: place.root } });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk));
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  expect(text).toMatch(/^\d+\.\d+\.\d+\n$/);
});

async function pair(): Promise<{ private_key: string; public_hash: string }> {
  return JSON.parse((await claviger(["api-key", "generate", "--json"])).stdout);
}

function freshText(): string {
  return systemRandom.bytes(16).toString("hex");
}
