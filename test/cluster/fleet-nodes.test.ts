import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { listen } from "#test/events/listener.ts";
import { FakeTimers } from "#test/fake-timers.ts";
import { bearing } from "#test/keys/key-calls.ts";
import { startUpstream } from "#test/upstream.ts";
import { credentialsOf, newToken } from "./cluster-files.ts";
import { type FleetMember, nodesCome, nodesOf, openJoining, startFleet, startJoined } from "./fleet.ts";
import { joinBy, newPin, nodeKeyOf, openToMembers, startMember, tokenOf } from "./member.ts";
import { ask, dataOf } from "./member-calls.ts";

const isOpen = ({ unlocked }: { readonly unlocked: boolean }) => unlocked;
const metricsOf = async ({ claviger }: FleetMember) => (await claviger.control({ path: "/metrics" })).text;
const beatsOf = async (member: FleetMember, outcome: string) =>
  Number(new RegExp(`heartbeats_total\\{outcome="${outcome}"\\} (\\d+)`).exec(await metricsOf(member))?.[1]);
const up = (count: number) => Array.from({ length: count }, () => expect.objectContaining({ state: "up" }));

const set = (rules: string) => `{ resource_type: PermissionSet, allow: [nodes.read${rules}] }`;
const yaml = `resources:\n  none: ${set("")}\n  some: ${set(', "models.read:sim/*-2"')}\n`;

describe("three servers of a cluster", () => {
  const pin = newPin();
  const stack = new AsyncDisposableStack();
  let members: readonly FleetMember[];
  let first: FleetMember;
  let second: FleetMember;

  beforeAll(async () => {
    const upstream = stack.use(await startUpstream({ models: ["m-1", "m-2"] }));
    const fleet = stack.use(await startFleet(pin, [{ yaml }, {}, {}]));
    members = fleet.members;
    const [one, two] = members;
    if (one === undefined || two === undefined) throw new Error("no members");
    [first, second] = [one, two];
    await second.claviger.addProvider("sim", upstream.baseUrl);
    await second.claviger.control({ path: "/api/v1/nodes" });
  });
  afterAll(() => stack.disposeAsync());

  test("[C7] [H7] each lists all of them, itself first, then by name, under names of their own", async () => {
    const names = [hostname(), `${hostname()}-2`, `${hostname()}-3`];
    for (const [at, member] of members.entries()) {
      await nodesCome(member, (rows) => expect(rows).toEqual(up(3)));
      const rows = await nodesOf(member);
      const { json } = await member.claviger.control({ path: "/api/v1/info" });
      expect(rows[0]).toMatchObject({ id: Object.getOwnPropertyDescriptor(json, "node_id")?.value });
      expect(rows.map(({ name }) => name)).toEqual([names[at], ...names.filter((_, other) => other !== at)]);
    }
  });

  test("[C7] [H7] a row has url, version, lock state, models and when it was heard; the token of the cluster reads it", async () => {
    const token = tokenOf(first.claviger).trim();
    await vi.waitFor(
      async () => {
        const rows = dataOf(await ask(first.claviger, "/api/nodes", bearing(token)));
        expect(rows).toContainEqual({
          id: expect.stringMatching(/^node_[A-Za-z0-9]{16}$/),
          name: `${hostname()}-2`,
          url: second.url,
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          state: "up",
          unlocked: true,
          models: ["sim/m-1", "sim/m-2"],
          last_seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        });
      },
      { timeout: 15_000, interval: 50 },
    );
  });

  test("[H7] [I15] of another node's models too only those are listed that the caller may read", async () => {
    for (const [name, models] of Object.entries({ none: [], some: ["sim/m-2"] })) {
      const { key } = await first.claviger.issueKey(name, [name]);
      const rows = dataOf(await ask(first.claviger, "/api/nodes", bearing(key)));
      expect(rows.map((row) => Object.getOwnPropertyDescriptor(row, "models")?.value)).toContainEqual(models);
      expect(JSON.stringify(rows), name).not.toContain("sim/m-1");
    }
  });

  test("[C7] [H7] [C8] the lock of one shows at the others, which tell it; it stays in the list and up", async () => {
    const { key } = await first.claviger.issueKey("listener", ["operator"]);
    const listener = await listen(first.claviger, { key, query: "?types=node" });
    const serverKey = newToken();
    const post = (path: string, body?: unknown) => second.claviger.control({ method: "POST", path, body });
    await post("/api/v1/key/initialize", { key: serverKey });
    await post("/api/v1/key/lock");
    const locked = expect.objectContaining({ name: `${hostname()}-2`, state: "up", unlocked: false });
    for (const member of members.filter((each) => each !== second))
      await nodesCome(member, (rows) => expect(rows).toContainEqual(locked));
    expect((await post("/api/v1/key/unlock", { key: serverKey })).status).toBe(200);
    for (const member of members) await nodesCome(member, (rows) => expect(rows.every(isOpen)).toBe(true));
    const [one, two] = await listener.count(2);
    expect([one, two]).toMatchObject([
      { type: "node.changed", data: { name: `${hostname()}-2`, state: "up", unlocked: false } },
      { type: "node.changed", data: { name: `${hostname()}-2`, state: "up", unlocked: true } },
    ]);
    listener.cut();
  });

  test("[W3] nodes, heartbeats and joins are counted", async () => {
    const text = await metricsOf(first);
    expect(text).toContain('claviger_cluster_nodes{state="up"} 3');
    expect(text).toMatch(/claviger_cluster_heartbeats_total\{outcome="ok"\} [1-9]/);
    expect(text).toContain('claviger_cluster_join_runs_total{outcome="admitted"} 2');
  });

  test("[C4] who is in the cluster joins it again, with its key and its name; another cluster it does not", async () => {
    const before = nodeKeyOf(second.claviger);
    await openJoining(first);
    expect(await joinBy(second.claviger, first.url, pin)).toMatchObject({ status: 201 });
    expect(nodeKeyOf(second.claviger)).toBe(before);
    await nodesCome(first, (rows) => expect(rows).toEqual(up(3)));
    expect((await nodesOf(second))[0]?.name).toBe(`${hostname()}-2`);
    const otherPin = newPin();
    const other = await startMember(otherPin);
    await using _other = other.claviger;
    const refused = await joinBy(second.claviger, other.url, otherPin);
    expect(refused).toMatchObject({ status: 409, json: { code: "cluster_exists" } });
    await nodesCome(second, (rows) => expect(rows).toEqual(up(3)));
  });

  test("[C12] one of damaged files comes back by joining again", async () => {
    const path = join(credentialsOf(second.claviger.dataDir), "cluster.json");
    rmSync(path);
    writeFileSync(path, "{}\n", { mode: 0o400 });
    await vi.waitFor(async () => {
      const { json } = await second.claviger.control({ path: "/api/v1/cluster" });
      expect(json).toMatchObject({ status: "closed" });
    });
    await openJoining(first);
    expect(await joinBy(second.claviger, first.url, pin)).toMatchObject({ status: 201 });
    for (const member of members) await nodesCome(member, (rows) => expect(rows).toEqual(up(3)));
  });
});

test("[C7] [C8] a dead node shows within 15 s, and is up again without a join when it is back", async () => {
  const pin = newPin();
  const timers = new FakeTimers();
  const dataDir = mkdtempSync(join(tmpdir(), "claviger-back-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startMember(pin, { timers });
  stack.use(first.claviger);
  const { key } = await first.claviger.issueKey("listener", ["operator"]);
  const second = await startJoined(first, pin, { dataDir });
  await nodesCome(first, (rows) => expect(rows).toEqual(up(2)));
  const { port } = new URL(second.url);
  const listener = await listen(first.claviger, { key, query: "?types=node" });
  await second.claviger.app.close();
  timers.advance(7000);
  await nodesCome(first, (rows) => expect(rows).toEqual(up(2)));
  timers.advance(2000);
  await nodesCome(first, (rows) => expect(rows[1]).toMatchObject({ state: "down", unlocked: true }));
  expect((await listener.count(1))[0]).toMatchObject({ type: "node.down" });
  const yaml = `resources:\n  members:\n    resource_type: HttpServer\n    listen_addr: 127.0.0.1:${port}\n    tls: auto\n    auth: [cluster]\n`;
  const back = stack.use(await startClaviger({ dataDir, yaml, listen: [] }));
  await nodesCome({ claviger: back }, (rows) => expect(rows).toEqual(up(2)));
  await nodesCome(first, (rows) => expect(rows).toEqual(up(2)));
  expect((await listener.count(2))[1]).toMatchObject({ type: "node.up", data: { state: "up" } });
  listener.cut();
  const told = first.claviger.logged().match(/a node of the cluster is (up|down)/g);
  expect(told?.slice(-2)).toEqual(["a node of the cluster is down", "a node of the cluster is up"]);
});

test("[C7] who joined at one member while another was away is known to that one later", async () => {
  const pin = newPin();
  const dataDir = mkdtempSync(join(tmpdir(), "claviger-away-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startMember(pin);
  stack.use(first.claviger);
  const away = await startJoined(first, pin, { dataDir });
  await nodesCome(first, (rows) => expect(rows).toEqual(up(2)));
  await away.claviger.app.close();
  const third = await startJoined(first, pin);
  stack.use(third.claviger);
  const back = { claviger: stack.use(await startClaviger({ dataDir })) };
  await openToMembers(back.claviger);
  for (const member of [first, third, back]) await nodesCome(member, (rows) => expect(rows).toEqual(up(3)));
});

test("[C11] one of another certificate is not spoken with until it joins again; the log says so once", async () => {
  const pin = newPin();
  const dataDir = mkdtempSync(join(tmpdir(), "claviger-changed-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startMember(pin);
  stack.use(first.claviger);
  const second = await startJoined(first, pin, { dataDir });
  await nodesCome(first, (rows) => expect(rows).toEqual(up(2)));
  await second.claviger.app.close();
  rmSync(join(dataDir, "etc", "certs"), { recursive: true });
  const changed = stack.use(await startClaviger({ dataDir }));
  await openToMembers(changed);
  const lines = () => first.claviger.logged().match(/another certificate than the one it joined with/g) ?? [];
  await vi.waitFor(() => expect(lines()).toHaveLength(1), { timeout: 15_000, interval: 50 });
  const comes = async (outcome: string) => {
    const before = (await beatsOf(first, outcome)) || 0;
    const look = async () => expect(await beatsOf(first, outcome)).toBeGreaterThan(before);
    await vi.waitFor(look, { timeout: 15_000, interval: 50 });
  };
  await comes("unreachable");
  expect(lines()).toHaveLength(1);
  await openJoining(first);
  expect(await joinBy(changed, first.url, pin)).toMatchObject({ status: 201 });
  await comes("ok");
});
