import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { claviger, Program, scratch } from "../start/process.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";

vi.setConfig({ testTimeout: 60_000 });

const NOWHERE = "http://127.0.0.1:9/v1";
const fresh = () => systemRandom.bytes(16).toString("hex");
/** A command on that server; what it printed is parsed where it is JSON. */
const on = (server: TestClaviger) => async (words: readonly string[], input?: string) => {
  const ended = await claviger(
    [...words, "--data-dir", server.dataDir],
    input === undefined ? {} : { input },
  );
  const json: unknown = words.includes("--json") && ended.status === 0 ? JSON.parse(ended.stdout) : undefined;
  return { ...ended, json };
};
const provider = (server: TestClaviger, name: string) =>
  server.control({ path: `/api/v1/providers/${name}` });

test("[L2] [G10] what is known to be wrong is said before the key is asked for", async () => {
  await using server = await startClaviger();
  await server.addProvider("taken", NOWHERE);
  const cases: [number, RegExp, readonly string[]][] = [
    [EXIT.usage, /'bogus' is invalid.*openai-compatible/, ["new", "--kind", "bogus"]],
    [EXIT.data, /a provider named taken exists\n.*provider edit taken/, ["taken"]],
    [EXIT.usage, /kind http needs --base-url/, ["new", "--kind", "http"]],
    [EXIT.usage, /NAME=VALUE/, ["new", "--header", "x-team"]],
    [EXIT.usage, /number of milliseconds/, ["new", "--headers-timeout", "1s"]],
    [EXIT.usage, /needs --credential-header/, ["new", "--credential-prefix", "T "]],
  ];
  for (const [status, words, args] of cases) {
    // Its stdin stays open: a command that read the key first would not end.
    await using program = new Program(["provider", "add", ...args, "--data-dir", server.dataDir], {});
    const ended = await program.ended;
    expect([args, ended.status]).toEqual([args, status]);
    expect(ended.stderr).toMatch(words);
  }
  expect((await provider(server, "new")).status).toBe(404);
});

test("[L2] [G10] [G12] a provider with every option by command: added, shown, edited, its options removed", async () => {
  await using server = await startClaviger();
  const run = on(server);
  const flags = [
    ...["--kind", "http", "--base-url", "http://127.0.0.1:9/api", "--ca-file", "/etc/own-ca.pem"],
    ...["--header", "X-Team=a=b", "--header", "X-Empty=", "--proxy", "http://127.0.0.1:3128"],
    ...["--connect-timeout", "1000", "--headers-timeout", "2000", "--idle-timeout", "3000"],
    ...["--credential-header", "X-Token", "--credential-prefix", "T "],
    ...["--method", "get", "--method", "POST", "--path-prefix", "/v2", "--path-prefix", "/v3"],
  ];
  const added = await run(["provider", "add", "web", ...flags, "--json"], `${fresh()}\n`);
  expect(added.stderr).toBe("");
  const options = {
    ca_file: "/etc/own-ca.pem",
    connect_timeout_ms: 1000,
    headers_timeout_ms: 2000,
    body_idle_timeout_ms: 3000,
    extra_headers: { "x-team": "a=b", "x-empty": "" },
    proxy: "http://127.0.0.1:3128",
    credential_header: { name: "x-token", prefix: "T " },
    methods: ["GET", "POST"],
    path_prefixes: ["/v2", "/v3"],
  };
  expect(added.json).toMatchObject({ name: "web", kind: "http", options });
  expect((await run(["provider", "show", "web", "--json"])).json).toMatchObject({ options });
  const shown = await run(["provider", "show", "web"]);
  for (const text of ["web (http)", "http://127.0.0.1:9/api", "ca_file: /etc/own-ca.pem", '"x-team":"a=b"'])
    expect(shown.stdout).toContain(text);
  const unset = ["proxy", "methods", "path_prefixes", "credential_header", "extra_headers"];
  const edit = ["provider", "edit", "web", "--ca-file", "/etc/other.pem", "--unset", ...unset];
  expect((await run(edit)).status).toBe(0);
  expect((await provider(server, "web")).json).toMatchObject({ base_url: "http://127.0.0.1:9/api" });
  expect((await provider(server, "web")).json).toHaveProperty("options", {
    ca_file: "/etc/other.pem",
    connect_timeout_ms: 1000,
    headers_timeout_ms: 2000,
    body_idle_timeout_ms: 3000,
  });
  expect((await run(["provider", "edit", "web"])).status).toBe(EXIT.usage);
  const elsewhere = ["provider", "edit", "web", "--base-url", "http://127.0.0.1:10/"];
  expect((await run(elsewhere)).status).toBe(EXIT.data);
  const value = fresh();
  expect((await run([...elsewhere, "--credential"], `${value}\n`)).status).toBe(0);
  expect((await provider(server, "web")).json).toMatchObject({ credentials: [{ hint: value.slice(-4) }] });
});

test("[L2] [G10] [G2] a pool of credentials is set from stdin, one a line, and shown by its ends alone", async () => {
  await using server = await startClaviger();
  await server.addProvider("sim", NOWHERE, fresh());
  const run = on(server);
  const set = ["provider", "set-credential", "sim"];
  const pool = [fresh(), fresh(), fresh()];
  const changed = await run(set, `${pool[0]}\r\n${pool[1]}\n\n${pool[2]}`);
  expect([changed.status, changed.stdout]).toEqual([0, "3 credentials of sim replaced\n"]);
  const shown = await run(["provider", "show", "sim"]);
  expect(shown.stdout).toContain(pool.map((value) => `…${value.slice(-4)}`).join(" "));
  for (const value of pool) expect(shown.stdout + changed.stdout).not.toContain(value);
  expect((await run(set, "\n")).status).toBe(EXIT.usage);
  expect((await run(set, `${Array.from({ length: 17 }, fresh).join("\n")}\n`)).status).toBe(EXIT.data);
  expect((await run(set, "x".repeat(200_000))).status).toBe(EXIT.data);
  expect((await provider(server, "sim")).json).toMatchObject({ credentials: [{}, {}, {}] });
});

test("[L2] [G10] a test says by words and exit status whether the provider answers, and a list which models there are", async () => {
  await using upstream = await startUpstream({ models: [UPSTREAM_MODEL, "sim-2"] });
  await using server = await startClaviger();
  const run = on(server);
  expect((await run(["models"])).stderr).toContain("No model is known");
  await server.addProvider("good", upstream.baseUrl);
  await server.addProvider("gone", NOWHERE);
  const good = await run(["provider", "test", "good"]);
  expect(good.status).toBe(0);
  expect(good.stdout).toMatch(/^good answers in \d+ ms and lists 2 models\n$/);
  const gone = await run(["provider", "test", "gone"]);
  expect([gone.status, gone.stdout]).toEqual([
    EXIT.failed,
    "gone does not work: The upstream refused the connection.\n",
  ]);
  const unknown = { context_window: null, input_usd_per_million: null, output_usd_per_million: null };
  const models = [
    { id: `good/${UPSTREAM_MODEL}`, provider: "good", ...unknown },
    { id: "good/sim-2", provider: "good", ...unknown },
  ];
  expect((await run(["models", "--json"])).json).toEqual(models);
  expect((await run(["models", "--json", "--provider", "gone"])).json).toEqual([]);
  expect((await run(["models"])).stdout).toMatch(
    /^ID +PROVIDER +CONTEXT WINDOW .*\ngood\/sim-1 +good .*\ngood\/sim-2 +good .*\n$/,
  );
});

test("[L2] an id or a name nobody has is named in the error", async () => {
  await using server = await startClaviger();
  const run = on(server);
  const cases = [
    ["api-key", "revoke", "key_none"],
    ["provider", "show", "none"],
    ["provider", "test", "none"],
    ["provider", "edit", "none", "--headers-timeout", "5"],
    ["provider", "set-credential", "none"],
    ["provider", "remove", "none"],
    ["connect", "none"],
  ];
  for (const words of cases) {
    const ended = await run(words);
    expect([words, ended.status]).toEqual([words, EXIT.data]);
    expect(ended.stderr).toContain(words[2] ?? words[1] ?? "");
    expect(ended.stderr).not.toContain("There is nothing here");
  }
});

test("[E5] a base URL that would be denied is refused by command too, with the reason", async () => {
  await using server = await startClaviger();
  const add = ["provider", "add", "cloud", "--kind", "http", "--base-url", "http://169.254.169.254/"];
  const ended = await on(server)([...add, "--no-credential"]);
  expect(ended.status).toBe(EXIT.data);
  expect(ended.stderr).toContain("metadata");
});

test("[L2] every provider command says that no server runs before it asks for a key", async () => {
  using place = scratch();
  for (const words of [
    ["add", "new"],
    ["set-credential", "sim"],
  ]) {
    const args = ["provider", ...words, "--data-dir", join(place.root, "none")];
    await using program = new Program(args, {});
    const { status, stderr } = await program.ended;
    expect(status).toBe(EXIT.notRunning);
    expect(stderr).toContain("no server is running");
  }
});
