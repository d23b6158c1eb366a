import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { createOutput } from "#cli/output.ts";
import { createProgram } from "#cli/program.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { claviger } from "../start/process.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { makeCertificate, startTlsFront, type TestCertificate, type TlsFront } from "./tls-front.ts";

vi.setConfig({ testTimeout: 300_000 });

let server: TestClaviger;
let upstream: Upstream;
let own: TestCertificate;
let front: TlsFront;
let directory = "";
let key = "";
let keyFile = "";
let caFile = "";
const closing = new AsyncDisposableStack();

const written = (name: string, text: string, mode = 0o400) => {
  const path = join(directory, name);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "claviger-remote-"));
  closing.defer(() => rmSync(directory, { recursive: true, force: true }));
  server = closing.use(await startClaviger());
  upstream = closing.use(await startUpstream());
  own = await makeCertificate();
  front = closing.use(await startTlsFront(own, server.url));
  ({ key } = await server.issueKey("remote", ["superadmin"]));
  keyFile = written("key", `${key}\n`);
  caFile = written("ca.pem", own.certificate, 0o644);
});
afterAll(() => closing.disposeAsync());

/** Nothing of the local server: its data directory is elsewhere. */
const env = (more: Readonly<Record<string, string>> = {}) => ({ CLAVIGER_API_KEY_FILE: keyFile, ...more });
const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}, input?: string) =>
  claviger(words, { env: env(more), ...(input === undefined ? {} : { input }) });
const pinned = () => ["--url", front.url, "--pin", own.pin];

/** A command, what it says, and what it is given on stdin. */
type Step = readonly [words: readonly string[], said: RegExp, input?: string];

/** One after the other, told of the server in either way. */
async function runSteps(steps: readonly Step[]): Promise<void> {
  for (const [at, [words, said, input]] of steps.entries()) {
    const ended =
      at % 2 === 0
        ? await run([...pinned(), ...words], {}, input)
        : await run(words, { CLAVIGER_URL: front.url, CLAVIGER_PIN: own.pin }, input);
    // What is to be done before a server key is set is said in any case.
    const complained = ended.stderr
      .replace(/^Save the server key before[\s\S]*$/, "")
      .replace(/^The same PIN is typed on every server[^\n]*\n$/, "");
    expect(`${words.join(" ")}: ${ended.status} ${complained}`).toBe(`${words.join(" ")}: 0 `);
    expect(ended.stdout).toMatch(said);
  }
}

test("[L3] every command that asks a server asks the one of --url, and of CLAVIGER_URL with its pin", async () => {
  const word = systemRandom.bytes(16).toString("hex");
  const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
  const steps: Step[] = [
    [["status"], /claviger \d/],
    [add, /provider sim added/, `${word}\n`],
    [["provider", "list"], /sim/],
    [["provider", "show", "sim"], /sim \(openai-compatible\)/],
    [["provider", "edit", "sim", "--idle-timeout", "9000"], /changed/],
    [["provider", "test", "sim"], /sim answers/],
    [["provider", "set-credential", "sim"], /replaced/, `${word}2\n`],
    [["models"], /sim/],
    [["api-key", "create", "far"], /sk-claviger-/],
    [["api-key", "list"], /far/],
    [["api-key", "show", "far"], /far/],
    [["api-key", "update", "far", "--concurrency", "4"], /far|changed/],
    [["api-key", "rotate", "far", "--overlap", "1m"], /sk-claviger-/],
    [["config", "identities"], /NAME|none|no /i],
    [["config", "permission-sets"], /superadmin +built-in/],
    [["config", "listeners"], /local +flag +listening +127\.0\.0\.1:\d+/],
    [["config", "listeners", "local"], /URL: +http:/],
    [["config", "reload"], /in force/],
    [["config", "show"], /workers +\d/],
    [["audit", "export"], /provider\.create/],
    [["audit", "tail"], /provider\.create/],
    [
      ["audit", "chain"],
      /^chain chain_\w{16}, row \d+:[0-9a-f]{64}\ncheckpoint .*\npublic key [0-9a-f]{64}$/m,
    ],
    [["config", "openapi"], /"openapi": "3\.1\.\d"/],
    [["connect", "aider"], new RegExp(front.url)],
    [
      ["cluster", "init"],
      /^in the cluster cluster_\w{16}, epoch 1\njoining is open until 2.*\n$/,
      "7392641\n",
    ],
    [["cluster", "status"], /in the cluster/],
    [["setup"], /server key: open[\s\S]*cluster: in the cluster[\s\S]*provider: sim/],
    [["user", "add", "maria"], /user maria added/, `${word} is a password\n`],
    [["user", "list"], /maria/],
    [["user", "permissions", "maria", "gateway"], /maria has gateway now/],
    [["user", "passwd", "maria"], /password of maria changed/, `${word} is another\n`],
    [["user", "drop-second-factor", "maria"], /maria signs in by password alone now/],
    [["user", "remove", "maria"], /user maria removed/],
    [["cluster", "open"], /joining is open until 2/],
    [["cluster", "rename", "far"], /this node is far/],
    [["provider", "remove", "sim"], /removed/],
  ];
  await runSteps(steps);
  const removed = await run(["cluster", "remove", "nobody", ...pinned()]);
  expect([removed.status, removed.stderr]).toEqual([
    EXIT.data,
    expect.stringContaining("no node is called nobody"),
  ]);
  await run(["user", "add", "peter", ...pinned()], {}, `${word} is a password\n`);
  const wrong = await run(["user", "add-second-factor", "peter", ...pinned()], {}, "000000\n");
  expect([wrong.status, wrong.stdout]).toEqual([EXIT.data, expect.stringMatching(/^otpauth:\/\/totp\//)]);
  const { id } = await server.issueKey("to-revoke");
  expect((await run(["api-key", "revoke", id, ...pinned()])).stdout).toContain(`key ${id} revoked`);
});

test("[L3] the commands of usage ask the one of --url too", async () => {
  const { key } = await server.issueKey("remote-program");
  const headers = { authorization: `Bearer ${key}` };
  expect((await server.call({ path: "/v1/models", headers })).status).toBe(200);
  await runSteps([
    [["usage"], /REQUESTS/],
    [["usage", "overview"], /in all/],
    [["usage", "top"], /remote/],
    [["usage", "requests"], / 200 remote-program key_\w+ /],
  ]);
});

test("[L3] the commands of the server key and of backups ask the one of --url too", async () => {
  const word = systemRandom.bytes(16).toString("hex");
  await runSteps([
    [["key", "status"], /no server key is set/],
    [["key", "init"], /The server key is set/, `${word} is the key\n`],
    [["key", "rotate"], /The new server key holds/, `${word} is the key\n${word} is the next\n`],
    [["key", "show"], /fingerprint: [0-9a-f]{16}, set at 20/],
    [["key", "recovery", "revoke"], /no recovery key/],
    [["backup", join(directory, "far.backup")], /written to/],
    [["key", "lock"], /locked/],
    [["key", "unlock"], /unlocked/, `${word} is the next\n`],
    [["cluster", "lock"], /far +true/],
    [["key", "unlock"], /unlocked/, `${word} is the next\n`],
    [["cluster", "leave", "--yes"], /this server left cluster_/],
  ]);
});

test("[L3] the command tree has no command beyond those tried above and those that ask no server", () => {
  const output = () =>
    createOutput({ stdout: process.stdout, stderr: process.stderr, json: false, noColor: true });
  const context = { env: {}, homeDir: directory, server: {}, output, setExit: () => {} };
  const program = createProgram(context);
  const leavesOf = (above: string, one: Command): [string, Command][] =>
    one.commands.length === 0
      ? [[`${above}${one.name()}`, one]]
      : one.commands.flatMap((below) => leavesOf(`${above}${one.name()} `, below));
  const asking = program.commands
    .flatMap((one) => leavesOf("", one))
    .filter(([, { options }]) => options.some(({ long, hidden }) => long === "--pin" && !hidden))
    .map(([words]) => words);
  expect(asking.toSorted()).toEqual(
    [
      ...["setup", "status", "models", "connect", "config reload", "config show", "config identities"],
      ...["sums", "overview", "top", "requests"].map((verb) => `usage ${verb}`),
      ...["config permission-sets", "config listeners", "config openapi"],
      ...["audit export", "audit tail", "audit chain", "backup", "cluster init", "cluster status"],
      ...["cluster join", "cluster open"],
      ...["leave", "lock", "remove", "rename"].map((verb) => `cluster ${verb}`),
      ...["create", "list", "show", "update", "rotate", "revoke"].map((verb) => `api-key ${verb}`),
      ...["status", "show", "init", "unlock", "rotate", "lock", "recovery revoke"].map(
        (verb) => `key ${verb}`,
      ),
      ...["add", "list", "passwd", "permissions", "add-second-factor", "drop-second-factor", "remove"].map(
        (verb) => `user ${verb}`,
      ),
      ...["add", "edit", "list", "show", "test", "set-credential", "remove"].map(
        (verb) => `provider ${verb}`,
      ),
    ].toSorted(),
  );
});

test("[L3] an authority of --ca-file is trusted, for the names of its certificate alone", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    const words = ["status", "--url", `https://${host}:${front.port}`, "--ca-file", caFile];
    expect((await run(words)).status).toBe(EXIT.ok);
  }
  const variables = { CLAVIGER_URL: front.url, CLAVIGER_CA_FILE: caFile };
  expect((await run(["status"], variables)).status).toBe(EXIT.ok);
  const unnamed = `https://[::ffff:127.0.0.1]:${front.port}`;
  expect((await run(["status", "--url", unnamed, "--ca-file", caFile])).status).toBe(EXIT.wrongServer);
});

test("[L3] a certificate that is not the pinned one ends it with both fingerprints, before a byte of the key", async () => {
  const another = await makeCertificate();
  await using impostor = await startTlsFront(another, server.url);
  const ended = await run(["status", "--url", impostor.url, "--pin", own.pin]);
  expect(ended.status).toBe(EXIT.wrongServer);
  for (const fingerprint of [own.pin, another.pin]) expect(ended.stderr).toContain(fingerprint);
  const unknown = await run(["status", "--url", impostor.url]);
  expect(unknown.status).toBe(EXIT.wrongServer);
  expect(unknown.stderr).toMatch(/not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\n.*--pin sha256:/);
  expect(unknown.stderr).toContain(another.pin);
  const both = await run(["status", "--url", impostor.url, "--pin", another.pin, "--ca-file", caFile]);
  expect(both.status).toBe(EXIT.wrongServer);
  expect(impostor.received()).toBe("");
  const right = await run([
    "status",
    "--url",
    impostor.url,
    "--pin",
    another.pin.toUpperCase().replace("SHA", "sha"),
  ]);
  expect(right.status).toBe(EXIT.ok);
  expect(impostor.received()).toContain(key);
});

test("[L3] the key is read from a file that nobody else may read, never from the environment", async () => {
  const words = ["status", ...pinned()];
  const readFrom = (file: string) => run([...words, "--api-key-file", file]);
  const open = written("open", key, 0o440);
  const refused = await readFrom(open);
  expect([refused.status, refused.stderr]).toEqual([
    EXIT.notPermitted,
    `claviger: others may read the key in ${open}\n  chmod 0400 ${open}\n`,
  ]);
  expect((await readFrom(written("owner", key, 0o600))).status).toBe(EXIT.ok);
  expect((await readFrom(join(directory, "none"))).stderr).toContain("does not exist");
  for (const text of ["", "two\nlines\n", `${key}\u00e9`])
    expect((await readFrom(written(`text-${text.length}`, text))).status).toBe(EXIT.data);
  const inherited = await claviger(words, { env: { CLAVIGER_API_KEY: key } });
  expect([inherited.status, inherited.stderr.split("\n")[0]]).toEqual([
    EXIT.usage,
    "claviger: CLAVIGER_API_KEY is not read",
  ]);
});

test("[L3] http:// carries the key to this machine, and elsewhere only when that is asked for", async () => {
  expect((await run(["status", "--url", server.url])).status).toBe(EXIT.ok);
  // Another way to this machine, and not known as one.
  const other = server.url.replace("127.0.0.1", "0.0.0.0");
  const refused = await run(["status", "--url", other]);
  expect(refused.status).toBe(EXIT.usage);
  expect(refused.stderr).toMatch(/0\.0\.0\.0:\d+ would get the key unencrypted\n.*--allow-plain-http/);
  expect((await run(["status", "--url", other, "--allow-plain-http"])).status).toBe(EXIT.ok);
  for (const more of [
    ["--pin", own.pin],
    ["--ca-file", caFile],
  ])
    expect((await run(["status", "--url", server.url, ...more])).status).toBe(EXIT.usage);
});

test("[L3] no redirect is followed and no proxy of the environment is used", async () => {
  let asked = 0;
  const trap = createServer((_request, response) => {
    asked += 1;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const moved = createServer((_request, response) => {
    response.writeHead(307, { location: addressOf(trap) }).end();
  });
  for (const one of [trap, moved]) {
    await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
    closing.defer(() => void one.close());
  }
  const ended = await run(["status", "--url", addressOf(moved)]);
  expect(ended.status).toBe(EXIT.wrongServer);
  expect(ended.stderr).toContain(`answered 307 and points to ${addressOf(trap)}`);
  const proxy = addressOf(trap);
  const proxies = {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    ALL_PROXY: proxy,
  };
  const around = { ...proxies, NODE_USE_ENV_PROXY: "1" };
  expect((await run(["status", "--url", server.url], around)).status).toBe(EXIT.ok);
  expect((await run(["status", ...pinned()], around)).status).toBe(EXIT.ok);
  expect(asked).toBe(0);
});

test("[L3] what goes wrong is said: nobody there, another protocol, a wrong key, a missing permission", async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const nobody = addressOf(free);
  await new Promise((resolve) => free.close(resolve));
  const viewer = written("viewer", (await server.issueKey("viewer", ["viewer"])).key);
  const wrong = written("wrong", `${key.slice(0, -1)}0`);
  const cases: [readonly string[], number, RegExp][] = [
    [["status", "--url", nobody], EXIT.notRunning, /nothing answers on http:\/\/127.* \(ECONNREFUSED\)/],
    [["status", "--url", server.url.replace("http", "https")], EXIT.wrongServer, /does not speak TLS/],
    [
      ["status", ...pinned(), "--api-key-file", wrong],
      EXIT.notPermitted,
      /credential\.\n.*the key is from \S*wrong;/,
    ],
    [
      ["provider", "list", ...pinned(), "--api-key-file", viewer],
      EXIT.notPermitted,
      /permission providers\.manage/,
    ],
    [["status", "--url", "https://host/path"], EXIT.usage, /without path/],
    [["status", "--url", "ftp://host"], EXIT.usage, /https:\/\/HOST/],
    [["status", ...pinned().slice(0, 3), "sha256:12"], EXIT.usage, /64 hexadecimal/],
    [["status", ...pinned(), "--data-dir", directory], EXIT.usage, /two servers/],
  ];
  for (const [words, status, said] of cases) {
    const ended = await run(words);
    expect([words.join(" "), ended.status]).toEqual([words.join(" "), status]);
    expect(ended.stderr).toMatch(said);
    expect(ended.stderr).not.toContain(key);
  }
});

test("[L3] commands that work on this machine's files say that they ask no server", async () => {
  for (const words of [
    ["doctor"],
    ["config", "check"],
    ["serve"],
    ["api-key", "generate"],
    ["completion", "bash"],
  ])
    for (const line of [
      [...pinned(), ...words],
      [...words, ...pinned()],
    ]) {
      const ended = await run(line);
      expect([line.join(" "), ended.status]).toEqual([line.join(" "), EXIT.usage]);
      expect(ended.stderr).toContain(
        `claviger ${words.filter((word) => word !== "bash").join(" ")} asks no server`,
      );
    }
  expect((await run(["api-key", "generate"], { CLAVIGER_URL: front.url })).status).toBe(EXIT.ok);
});

test("[L3] --data-dir beats CLAVIGER_URL, and an option of the same name keeps its own meaning", async () => {
  const local = ["status", "--data-dir", server.dataDir];
  expect((await run(local, { CLAVIGER_URL: "https://name.invalid" })).status).toBe(EXIT.ok);
  const shown = await run([...pinned(), "connect", "aider", "--url", "https://elsewhere.example"]);
  expect(shown.stdout).toContain("https://elsewhere.example");
  expect(shown.stdout).not.toContain(front.url);
});

test("[L3] a locked server is exit status 75, in its own words", async () => {
  const locked = createServer((_request, response) => {
    const problem = { code: "server_locked", title: "The server is locked; an operator must unlock it." };
    response.writeHead(503, { "content-type": "application/problem+json" }).end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => locked.listen(0, "127.0.0.1", resolve));
  closing.defer(() => void locked.close());
  const ended = await run(["models", "--url", addressOf(locked)]);
  expect([ended.status, ended.stderr]).toEqual([
    EXIT.tryAgain,
    "claviger: The server is locked; an operator must unlock it.\n",
  ]);
});

function addressOf(one: ReturnType<typeof createServer>): string {
  const address: AddressInfo | string | null = one.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}
