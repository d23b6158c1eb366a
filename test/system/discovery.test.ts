import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import { send } from "#test/claviger.ts";
import { discover, FOUND, listenAt, MAIN, MULTICAST, startServer, yamlOf } from "./discovery-bench.ts";
import { message, nameOf, record, SERVICE } from "./dns-packet.ts";
import { runProgram } from "./run-program.ts";
import type { RunningProgram } from "./running-program.ts";
import { atTerminal } from "./terminal.ts";
import { openTwoNetworks, type Place } from "./two-networks.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const closing = new AsyncDisposableStack();
let a: Place;
let b: Place;
beforeAll(async () => {
  ({ a, b } = closing.use(await openTwoNetworks()));
});
afterAll(() => closing.disposeAsync());

/** Fifteen minutes go by in the server. */
const passes = (program: RunningProgram) => process.kill(program.pid, "SIGUSR2");
/** Text as it stands in a packet, with what is no text replaced. */
const textOf = (packets: readonly Buffer[]) => Buffer.concat(packets).toString("latin1");

test("[C7] [C4] a member that lets others join is found from another machine, and is gone when joining closes and when it stops", async () => {
  await using ear = await listenAt(b);
  const { program, secrets } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  expect(await discover(b)).toEqual(FOUND);
  const table = await b.run([MAIN, "cluster", "discover"]);
  expect(table.stdout).toBe(
    `NAME  URL\n${FOUND.map(({ name, url }) => `${name.padEnd(4)}  ${url}`).join("\n")}\n`,
  );
  passes(program);
  expect(await discover(b)).toEqual([]);
  expectNothingSecret(ear.heard(a), secrets);
  const ended = await program.end("SIGTERM");
  expect([ended, program.said().match(/found on the local network/g)?.length]).toEqual([0, 1]);
});

/** All that was said is known word for word, but four bytes of chance. */
function expectNothingSecret(packets: readonly Buffer[], secrets: readonly string[]): void {
  const text = textOf(packets);
  expect(packets.length).toBeGreaterThan(2);
  expect(secrets.length).toBeGreaterThan(10);
  expect(secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
  const bytes = secrets.map((secret) => Buffer.from(secret, "base64url").subarray(0, 16));
  expect(bytes.filter((part) => part.length === 16 && text.includes(part.toString("latin1")))).toEqual([]);
  const [name = ""] = FOUND.map((found) => found.name);
  const [, host = ""] = /(claviger-[0-9a-f]{8})/.exec(text) ?? [];
  const instance = [name, ...SERVICE.split(".")];
  const target = nameOf([host, "local"]);
  const told = (ttl: number) =>
    message({
      isAnswer: true,
      answers: [
        record("PTR", nameOf(SERVICE.split(".")), nameOf(instance), ttl),
        record("SRV", nameOf(instance), Buffer.concat([Buffer.from([0, 0, 0, 0, 0x20, 0xfa]), target]), ttl),
        record("TXT", nameOf(instance), nameOf(["v=1"], Buffer.alloc(0)), ttl),
        record("A", target, Buffer.from([10, 99, 7, 1]), ttl),
      ],
    }).toString("hex");
  expect(new Set(packets.map((packet) => packet.toString("hex")))).toEqual(new Set([told(120), told(0)]));
}

test("[C7] a server that is stopped while it lets others join takes back what it told", async () => {
  await using ear = await listenAt(b);
  const { program } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  expect(await discover(b)).toEqual(FOUND);
  await program.end("SIGTERM");
  expect(await discover(b)).toEqual([]);
  const [last = Buffer.alloc(0)] = ear.heard(a).slice(-1);
  // The TTL of the first record stands behind its name, type and class.
  const ttlAt = 12 + SERVICE.length + 2 + 4;
  expect(last.readUInt32BE(ttlAt)).toBe(0);
});

test("[C7] [C4] a server that is asked hears the members for whoever may manage the cluster, but not with `mdns: off`", async () => {
  const { program } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  for (const [mdns, answer] of [
    ["joining", { data: FOUND, next_cursor: null }],
    ["off", expect.objectContaining({ code: "discovery_failed" })],
  ] as const) {
    const { program: asked, dataDir } = await startServer(b, yamlOf({ mdns }));
    await using _asked = asked;
    const to = { socketPath: controlSocketPath(dataDir) };
    expect((await send(to, { path: "/api/v1/cluster/discover" })).json).toEqual(answer);
  }
});

test("[C7] with `mdns: on` a member is found when joining is closed, too", async () => {
  const { program } = await startServer(a, yamlOf({ mdns: "on" }), "init");
  await using _server = program;
  passes(program);
  expect(await discover(b)).toEqual(FOUND);
});

test("[N7] [C7] no packet leaves with `mdns: off`, in no cluster, on loopback alone, and where no listener is for members", async () => {
  // Of their own: the kernel takes its time to tell that nobody here listens to the group any more.
  await using networks = await openTwoNetworks();
  const silent: [string, "init"?][] = [
    [yamlOf({ mdns: "off" }), "init"],
    [yamlOf({ mdns: "on" })],
    [yamlOf({ mdns: "on", listen: "127.0.0.1:8442" }), "init"],
    [yamlOf({ mdns: "on", auth: "[keys]" }), "init"],
  ];
  for (const given of silent) {
    const before = await networks.a.sent();
    const { program } = await startServer(networks.a, given[0], given[1]);
    await using _server = program;
    expect(await discover(networks.b), given[0]).toEqual([]);
    expect(await program.end("SIGTERM")).toBe(0);
    expect((await networks.a.sent()) - before, given[0]).toBe(0);
  }
  const before = await networks.a.sent();
  const { program } = await startServer(networks.a, yamlOf(), "init");
  await using _server = program;
  expect(await discover(networks.b)).toEqual(FOUND);
  expect((await networks.a.sent()) - before).toBeGreaterThan(1);
});

test("[C7] where the port of multicast DNS is taken, or there is no network, the server serves, and the command says why", async () => {
  await using holder = a.start([MULTICAST, "hold", "0.0.0.0"]);
  await holder.hears(/held/);
  const { program } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  const discovering = () => a.run([MAIN, "cluster", "discover"]);
  const taken = await discovering();
  expect([taken.status, taken.stdout]).toEqual([EXIT.tryAgain, ""]);
  expect(taken.stderr).toMatch(/EADDRINUSE.*\n.*claviger cluster join https/);
  expect(await program.end("SIGTERM")).toBe(0);
  expect(program.said().match(/multicast DNS does not work/g)).toHaveLength(1);
  const alone = await runProgram("unshare", ["--net", "--", process.execPath, MAIN, "cluster", "discover"]);
  expect([alone.status, alone.stderr]).toEqual([EXIT.tryAgain, expect.stringContaining("on no network")]);
});

test("[C4] `cluster join` without a URL lets the person at the terminal pick from the list; elsewhere it is exit status 2", async () => {
  const { program, pin } = await startServer(a, yamlOf(), "init");
  await using _server = program;
  const blind = await b.run([MAIN, "cluster", "join"], { stdin: `${pin}\n` });
  expect([blind.status, blind.stdout]).toEqual([EXIT.refusedValue, ""]);
  expect(blind.stderr).toContain("claviger cluster discover");
  const joiner = await startServer(b, yamlOf({ mdns: "off" }));
  await using _joining = joiner.program;

  const { shown, raw } = await atTerminal(
    ["cluster", "join", "--data-dir", joiner.dataDir],
    [
      ["https://10.99.7.1:8442", ""],
      ["PIN of the cluster", pin],
      ["claviger.yaml?", "n"],
    ],
    { enter: b.enter },
  );
  expect(shown).toMatch(/this server is a member of cluster_\w{16}/);
  expect(raw).not.toContain(pin);
});
