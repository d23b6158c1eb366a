import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { bearing } from "#test/keys/key-calls.ts";
import { newToken, replaceToken } from "./cluster-files.ts";
import { newPin } from "./member.ts";
import { dataOf } from "./member-calls.ts";
import { auditOf, idOf, nodesOf, startFleet, statesCome } from "./whole-fleet.ts";

vi.setConfig({ testTimeout: 120_000 });

const LOCK = { method: "POST", path: "/api/v1/cluster/lock" };
/** A server key nobody has had before. */
const setKey = async (node: TestClaviger) => {
  const body = { key: `a server key ${newPin()}` };
  const path = "/api/v1/key/initialize";
  expect((await node.control({ method: "POST", path, body })).status).toBeLessThan(300);
};
const isUnlocked = async (node: TestClaviger) =>
  Object(await node.control({ path: "/api/v1/key/status" })).json.unlocked;

test("[C14] one call locks all nodes, says so of each, and is in each one's audit log by the node that called", async () => {
  await using fleet = await startFleet(3);
  for (const node of fleet.nodes) await setKey(node);
  const rows = await nodesOf(fleet.at(0));
  const { status, json } = await fleet.at(0).control(LOCK);
  expect(status).toBe(200);
  expect(json).toEqual({
    data: rows.map(({ id, name }) => ({ id, name, locked: true, reason: null })),
    next_cursor: null,
  });
  expect(await Promise.all(fleet.nodes.map(isUnlocked))).toEqual([false, false, false]);
  const caller = String(rows[0]?.id);
  expect(await auditOf(fleet.at(0), "cluster.lock")).toMatchObject([{ actor: "local", outcome: "success" }]);
  expect(await auditOf(fleet.at(0), "key.lock")).toMatchObject([{ actor: "local" }]);
  for (const node of fleet.nodes.slice(1))
    expect(await auditOf(node, "key.lock")).toMatchObject([{ actor: caller, outcome: "success" }]);
  expect(await idOf(fleet.at(1))).not.toBe(caller);
});

test("[C14] who cannot be locked is named with the reason, holds up nobody, and is no reason not to lock the others", async () => {
  await using fleet = await startFleet(5);
  const [own, locked, keyless, stranger, silent] = fleet.nodes;
  if (!own || !locked || !keyless || !stranger || !silent) throw new Error("five nodes are needed");
  for (const node of [own, locked, stranger]) await setKey(node);
  const ids = await Promise.all(fleet.nodes.map(idOf));
  expect((await locked.control({ method: "POST", path: "/api/v1/key/lock" })).status).toBe(200);
  replaceToken(stranger.dataDir, newToken());
  await statesCome(own, ["up", "up", "up", "up", "needs_pin"]);
  await silent.app.close();
  // It takes connections, and says nothing.
  const { hostname: host, port } = new URL(fleet.urls[4] ?? "");
  const mute = createServer().listen(Number(port), host);
  await once(mute, "listening");
  const heldUp: Socket[] = [];
  mute.on("connection", (socket) => heldUp.push(socket.on("error", () => {})));
  const answer = own.control(LOCK);
  await expect.poll(() => isUnlocked(own), { timeout: 4000, interval: 20 }).toBe(false);
  expect(heldUp.length).toBeGreaterThan(0);
  const { status, json } = await answer;
  expect(status).toBe(200);
  const reasons = new Map(
    dataOf({ json }).map((row) => [Object(row).id, [Object(row).locked, Object(row).reason]]),
  );
  expect(ids.map((id) => reasons.get(id))).toEqual([
    [true, null],
    [true, null],
    [false, "no_server_key"],
    [false, "needs_pin"],
    [false, "unreachable"],
  ]);
  expect(await Promise.all([own, locked, keyless, stranger].map(isUnlocked))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  for (const socket of heldUp) socket.destroy();
  mute.close();
});

test("[C14] it takes cluster.lock, a cluster, and a server that is not locked", async () => {
  await using alone = await startClaviger();
  await setKey(alone);
  const none = await alone.control(LOCK);
  expect([none.status, none.text]).toEqual([503, expect.stringContaining("claviger key lock")]);
  expect(await isUnlocked(alone)).toBe(true);
  const body = { pin: newPin() };
  expect((await alone.control({ method: "POST", path: "/api/v1/cluster/init", body })).status).toBe(201);
  const manager = await alone.issueKey("manager", ["operator"]);
  const refused = await alone.call({ ...LOCK, headers: bearing(manager.key) });
  expect([refused.status, await isUnlocked(alone)]).toEqual([403, true]);
  const locker = await alone.issueKey("locker", ["superadmin"]);
  const call = { ...LOCK, headers: bearing(locker.key) };
  expect(await alone.call(call)).toMatchObject({ status: 200, json: { data: [{ locked: true }] } });
  expect((await alone.call(call)).status).toBe(503);
});
