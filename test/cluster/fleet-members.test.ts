import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { credentialsOf, newToken, replaceToken, writeMember } from "./cluster-files.ts";
import { joinBy, tokenOf } from "./member.ts";
import { statusComes } from "./member-calls.ts";
import { auditOf, idOf, nodesOf, startFleet, statesCome } from "./whole-fleet.ts";

vi.setConfig({ testTimeout: 120_000 });

const LEAVE = { method: "POST", path: "/api/v1/cluster/leave" };
const rename = (node: TestClaviger, name: unknown) =>
  node.control({ method: "POST", path: "/api/v1/cluster/rename", body: { name } });
const remove = (node: TestClaviger, id: string) =>
  node.control({ method: "DELETE", path: `/api/v1/nodes/${id}` });
const namesOf = async (node: TestClaviger) => (await nodesOf(node)).map(({ name }) => name);
/** How many records of nodes are in the store. */
const storedNodes = ({ dataDir }: TestClaviger) => {
  using store = new DatabaseSync(join(dataDir, "db", "data.sqlite"), { readOnly: true, timeout: 5000 });
  return store.prepare("SELECT count(*) AS many FROM cluster_member").get()?.many;
};
const clusterOf = async (node: TestClaviger) => Object(await node.control({ path: "/api/v1/cluster" })).json;

test("[C4] who leaves is on no list any more, has no file of a member, and can join again", async () => {
  await using fleet = await startFleet(3);
  const [one, two, three] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const { cluster_id: id } = await clusterOf(three);
  const token = tokenOf(three).trim();
  expect((await three.control(LEAVE)).json).toEqual({ cluster_id: id, not_told: [] });
  expect(readdirSync(credentialsOf(three.dataDir))).toEqual([]);
  expect(await clusterOf(three)).toMatchObject({ status: "none", cluster_id: null });
  await statusComes(three, token, 401);
  expect(await nodesOf(three)).toHaveLength(1);
  expect([storedNodes(one), storedNodes(three)]).toEqual([3, 0]);
  for (const other of [one, two]) await statesCome(other, ["up", "up"]);
  expect(await auditOf(three, "cluster.leave")).toMatchObject([
    { actor: "local", target: id, outcome: "success" },
  ]);
  expect((await three.control(LEAVE)).status).toBe(503);
  expect((await joinBy(three, fleet.urls[0] ?? "", fleet.pin)).status).toBe(201);
  for (const node of fleet.nodes) await statesCome(node, ["up", "up", "up"]);
});

test("[C4] leaving needs nobody's answer: whoever was not told is named", async () => {
  await using fleet = await startFleet(3);
  const [one, two, three] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const [[second], [third]] = [await nodesOf(two), await nodesOf(three)];
  await two.app.close();
  replaceToken(three.dataDir, newToken());
  await statesCome(one, ["up", "needs_pin", "down"]);
  const { status, json } = await one.control(LEAVE);
  expect(status).toBe(200);
  const named = [second, third].map((row) => ({ id: row?.id, name: row?.name }));
  expect(Object(json).not_told).toEqual(expect.arrayContaining(named));
  expect(Object(json).not_told).toHaveLength(2);
  expect(readdirSync(credentialsOf(one.dataDir))).toEqual([]);
});

test("[C4] [C12] a server of damaged files leaves too", async () => {
  await using claviger = await startClaviger();
  writeMember(claviger.dataDir, newToken());
  const file = join(credentialsOf(claviger.dataDir), "pin_hash");
  chmodSync(file, 0o644);
  await expect.poll(async () => (await clusterOf(claviger)).status).toBe("closed");
  expect((await claviger.control(LEAVE)).json).toEqual({ cluster_id: null, not_told: [] });
  expect(existsSync(file)).toBe(false);
  expect(await clusterOf(claviger)).toMatchObject({ status: "none" });
});

test("[C7] a node is renamed, and called so by all; a name that another has is refused", async () => {
  await using fleet = await startFleet(2);
  const [one, two] = [fleet.at(0), fleet.at(1)];
  const renamed = await rename(one, "attic");
  expect([renamed.status, renamed.json]).toEqual([200, { id: await idOf(one), name: "attic" }]);
  await expect.poll(() => namesOf(two), { timeout: 20_000 }).toContain("attic");
  const taken = await rename(two, "attic");
  expect([taken.status, Object(taken.json).code]).toEqual([409, "node_exists"]);
  for (const wrong of ["", "-x", "a b", "a".repeat(64), 7])
    expect((await rename(two, wrong)).status).toBe(400);
  expect(await auditOf(one, "cluster.rename")).toMatchObject([{ target: "attic", outcome: "success" }]);
  await one.app.close();
  await using again = await startClaviger({ dataDir: one.dataDir });
  expect((await namesOf(again))[0]).toBe("attic");
});

test("[C7] a lost node is taken off every list, and none of the others hears it any more", async () => {
  await using fleet = await startFleet(3);
  const [one, two, lost] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const id = await idOf(lost);
  expect((await remove(one, await idOf(one))).status).toBe(400);
  expect((await remove(one, "node_0123456789abcdef")).status).toBe(404);
  expect((await remove(one, id)).json).toEqual({ id, name: expect.any(String) });
  for (const other of [one, two]) await statesCome(other, ["up", "up"]);
  await statesCome(lost, ["up", "down", "down"]);
  // It was told, and admits nobody to what it is no part of.
  await expect.poll(() => lost.logged()).toContain("no longer in the cluster");
  const open = await lost.control({ method: "POST", path: "/api/v1/cluster/open" });
  expect([open.status, Object(open.json).code]).toEqual([503, "cluster_closed"]);
  expect((await remove(two, id)).status).toBe(404);
  expect(
    (await auditOf(one, "cluster.remove")).map(({ target, outcome }) => [target, outcome]),
  ).toContainEqual([id, "success"]);
});
