import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newPin, openToMembers, startMember, tokenOf } from "#test/cluster/member.ts";
import { freshPassword, logIn } from "#test/people/person.ts";
import { claviger, scratch } from "#test/start/process.ts";
import { startUpstream } from "#test/upstream.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";
import { atTerminal, type TerminalAnswer, type TerminalOptions } from "./terminal.ts";

vi.setConfig({ testTimeout: 300_000 });

const DOWN = "j";
const CTRL_C = "\u0003";
const OTHER_OPENAI = DOWN.repeat(3);
const LATER: readonly TerminalAnswer[] = [
  ["Password of admin", ""],
  ["Server key", ""],
  ["This one", ""],
];
const setUp = (
  { dataDir }: TestClaviger,
  answers: readonly TerminalAnswer[],
  { words = [], ...options }: TerminalOptions & { readonly words?: readonly string[] } = {},
) => atTerminal(["setup", "--data-dir", dataDir, ...words], answers, options);
const standing = async ({ dataDir }: TestClaviger) =>
  JSON.parse((await claviger(["setup", "--json", "--data-dir", dataDir])).stdout).steps;
const keyIn = (shown: string) => /^sk-claviger-\w+$/m.exec(shown)?.[0] ?? "";
const chat = (server: TestClaviger, key: string) =>
  server.call({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { authorization: `Bearer ${key}` },
    body: { model: "sim/sim-1", messages: [{ role: "user", content: "Hello" }] },
  });

test("[N14] [L2] [D4] [U2] setup at a terminal leads from a fresh server to an answered call; run again it shows what is there and asks nothing", async () => {
  await using upstream = await startUpstream();
  await using server = await startClaviger();
  const [password, serverKey, pin] = [freshPassword(), freshPassword(), newPin()];
  const credential = systemRandom.bytes(16).toString("hex");
  const first = await setUp(server, [
    ["Password of admin", "short"],
    ["once more", "short"],
    ["Password of admin", password],
    ["once more", freshPassword()],
    ["Password of admin", password],
    ["once more", password],
    ["Server key", serverKey],
    ["once more", serverKey],
    ["recovery key, too?", "y"],
    ["Is the recovery key saved?", "n"],
    ["Is the recovery key saved?", "y"],
    ["This one", DOWN],
    ["PIN; empty", "1234"],
    ["once more", "1234"],
    ["PIN; empty", pin],
    ["once more", pin],
    ["claviger.yaml?", "n"],
    ["Which provider", OTHER_OPENAI],
    ["Its name", "sim"],
    ["Its base URL", upstream.baseUrl],
    ["API key of sim", credential],
    ["Make a key", "y"],
    ["The program's name", ""],
    ["Is the key saved?", "y"],
    ["Settings for which program?", ""],
  ]);
  expect([first.status, first.shown]).toEqual([EXIT.ok, expect.stringContaining("sim/sim-1")]);
  const [snippet = ""] = /^curl http[\s\S]*?\}'$/m.exec(first.shown) ?? [];
  const said = await runProgram(requiredTool("bash"), [
    ...["--norc", "-c"],
    snippet.replace("YOUR_CLAVIGER_KEY", keyIn(first.shown)),
  ]);
  expect(said.stdout).toContain("Hello.");
  for (const secret of [password, serverKey, credential, pin]) expect(first.raw).not.toContain(secret);
  expect((await chat(server, keyIn(first.shown))).status).toBe(200);
  expect(Object((await logIn(server, { password })).json)).toMatchObject({ must_change_password: false });
  const led = await server.control({ path: "/api/v1/first-run" });
  expect(led.json).toEqual({ open: false, skipped: [] });
  const steps = await standing(server);
  expect(steps).toEqual(
    [
      ["password", /admin has a password/],
      ["server_key", /is set/],
      ["cluster", /in the cluster cluster_/],
      ["provider", /^sim$/],
      ["api_key", /keys for my-app/],
    ].map(([step, detail]) => ({
      step,
      state: "done",
      detail: expect.stringMatching(detail ?? ""),
      command: null,
    })),
  );
  const records = async () =>
    Object((await server.control({ path: "/api/v1/audit?limit=1" })).json).data[0].seq;
  const before = await records();
  const again = await setUp(server, []);
  expect([again.status, again.shown]).toEqual([EXIT.ok, expect.stringContaining("provider: sim")]);
  expect(await records()).toBe(before);
  const [, recovery = ""] = /\n(\S+)\n\nThis is the only time the recovery key/.exec(first.shown) ?? [];
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  const locked = await claviger(["setup", "--data-dir", server.dataDir]);
  expect([locked.status, locked.stderr]).toEqual([
    EXIT.tryAgain,
    expect.stringContaining("claviger key unlock"),
  ]);
  const opened = await setUp(server, [
    ["The server is locked", freshPassword()],
    ["The server is locked", recovery],
  ]);
  expect([opened.status, opened.shown]).toEqual([EXIT.ok, expect.stringContaining("Not taken")]);
});

test("[N14] a provider that does not answer is tested again, gets another key, is removed or kept, as the person says", async () => {
  await using upstream = await startUpstream();
  await using server = await startClaviger();
  const down = "http://127.0.0.1:1/v1";
  const provider = (url: string): TerminalAnswer[] => [
    ["Which provider", OTHER_OPENAI],
    ["Its name", "sim"],
    ["Its base URL", url],
    ["API key of sim", "typed"],
  ];
  const removed = await setUp(server, [
    ...LATER,
    ...provider(down),
    ["What now?", ""],
    ["What now?", DOWN],
    ["API key of sim", ""],
    ["What now?", DOWN.repeat(3)],
    ["Make a key", "n"],
  ]);
  expect([removed.status, removed.shown]).toEqual([EXIT.ok, expect.stringContaining("sim does not answer")]);
  expect(await standing(server)).toContainEqual(expect.objectContaining({ step: "provider", state: "open" }));
  const kept = await setUp(server, [
    ...LATER,
    ...provider(upstream.baseUrl.replace(/\/v1$/, "")),
    ...provider(down).slice(1),
    ["What now?", DOWN.repeat(2)],
    ["Make a key", "n"],
  ]);
  expect([kept.status, kept.shown]).toEqual([EXIT.ok, expect.stringContaining("Not taken: base_url")]);
  expect(await standing(server)).toContainEqual(expect.objectContaining({ step: "provider", detail: "sim" }));
});

test("[N14] [C4] setup joins the cluster of a member; an address where nobody is and a wrong PIN are asked for again", async () => {
  const pin = newPin();
  const { claviger: first, url } = await startMember(pin);
  await using member = first;
  await using server = await startClaviger();
  await openToMembers(server);
  const joined = await setUp(server, [
    ...LATER.slice(0, 2),
    ["This one", DOWN.repeat(2)],
    ["Address of a member", "https://127.0.0.1:1"],
    ["PIN of the cluster", pin],
    ["claviger.yaml?", "n"],
    ["Address of a member", url],
    ["PIN of the cluster", newPin()],
    ["claviger.yaml?", "n"],
    ["Address of a member", url],
    ["PIN of the cluster", pin],
    ["claviger.yaml?", "n"],
    ["Which provider", DOWN.repeat(5)],
    ["Make a key", "n"],
  ]);
  expect([joined.status, joined.shown.match(/Not taken/g)?.length]).toEqual([EXIT.ok, 2]);
  expect(tokenOf(server)).toBe(tokenOf(member));
});

test("[N14] [L2] Ctrl-C does nothing half, and says what is done; the next run goes on there", async () => {
  await using server = await startClaviger();
  const left = await setUp(server, [["Password of admin", CTRL_C]]);
  expect([left.status, left.shown]).toEqual([EXIT.failed, expect.stringContaining("nothing is done so far")]);
  const password = freshPassword();
  const answers: TerminalAnswer[] = [
    ["Password of admin", password],
    ["once more", password],
    ["Server key", freshPassword()],
    ["once more", CTRL_C],
  ];
  const half = await setUp(server, answers);
  expect([half.status, half.shown]).toEqual([
    EXIT.failed,
    expect.stringContaining("what is done stays:\n  password: admin has a password"),
  ]);
  expect((await server.control({ path: "/api/v1/key/status" })).json).toMatchObject({ initialized: false });
  const rest = await setUp(server, [
    ["Server key", ""],
    ["This one", CTRL_C],
  ]);
  expect(rest.status).toBe(EXIT.failed);
});

test("[N14] a small terminal, one without colour, and one that cannot move its cursor; a passphrase of any letters", async () => {
  await using server = await startClaviger();
  const password = `пароль ключа ${freshPassword()} 🔑`;
  const small = await setUp(
    server,
    [
      ["Password of admin", password],
      ["once more", password],
      ["Server key", ""],
      ["This one", ""],
      ["Which provider", `${DOWN.repeat(5)}`],
      ["Make a key", "n"],
    ],
    { columns: 30, env: { ...process.env, NO_COLOR: "1" } },
  );
  expect(small.status).toBe(EXIT.ok);
  // Colours, and nothing else, end in m.
  expect(small.raw.split("\u001b[").filter((each) => /^(3[0-7]|9[0-7])m/.test(each))).toEqual([]);
  expect((await logIn(server, { password })).status).toBe(200);
  const dumb = await setUp(
    server,
    [
      ["Server key", password],
      ["once more", password],
      ["recovery key, too?", "n"],
      ["This one", "9"],
      ["This one", ""],
      ["Which provider", "6"],
      ["Make a key", ""],
      ["The program's name", "first"],
      ["Is the key saved?", ""],
    ],
    { term: "dumb" },
  );
  expect([dumb.status, dumb.raw]).toEqual([EXIT.ok, expect.not.stringContaining("\u001b")]);
  for (const shown of [small, dumb]) expect(shown.raw).not.toContain(password);
  await server.control({ method: "POST", path: "/api/v1/key/lock" });
  const key = { key: password };
  expect((await server.control({ method: "POST", path: "/api/v1/key/unlock", body: key })).status).toBe(200);
  const away = await setUp(server, [["This one", CTRL_C]], { term: "dumb" });
  expect([away.status, away.shown]).toEqual([EXIT.failed, expect.stringContaining("cancelled")]);
});

test("[N14] [L2] without a terminal setup changes nothing and names the command of each open step; without a server it says how to start one", async () => {
  await using server = await startClaviger();
  const { status, stdout, stderr } = await claviger(["setup", "--data-dir", server.dataDir]);
  expect([status, stderr]).toEqual([EXIT.ok, ""]);
  for (const words of ["user passwd", "key init", "cluster init", "provider add", "api-key create"])
    expect(stdout).toContain(`open; later: claviger ${words}`);
  using place = scratch();
  const none = await claviger(["setup", "--data-dir", place.path]);
  expect([none.status, none.stderr]).toEqual([EXIT.notRunning, expect.stringContaining("claviger serve")]);
});
