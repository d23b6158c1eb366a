import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import type { TestClaviger } from "#test/claviger.ts";
import { credentialsOf } from "#test/cluster/cluster-files.ts";
import { newPin, tokenOf } from "#test/cluster/member.ts";
import { idOf, nodesOf, startFleet, statesCome } from "#test/cluster/whole-fleet.ts";
import { claviger } from "#test/start/process.ts";

vi.setConfig({ testTimeout: 150_000 });

const on = ({ dataDir }: TestClaviger, words: readonly string[], input = "") =>
  claviger([...words, "--data-dir", dataDir], { input });
const nameOf = async (node: TestClaviger) => String((await nodesOf(node))[0]?.name);

test("[C4] [C14] [L2] status lists the nodes, lock locks them all, rename, remove and leave do what they say", async () => {
  await using fleet = await startFleet(3);
  const [one, two, three] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  expect(await on(one, ["cluster", "rename", "attic"])).toMatchObject({
    status: EXIT.ok,
    stdout: "this node is attic\n",
  });
  const [second, third] = [await nameOf(two), await nameOf(three)];
  expect((await on(two, ["cluster", "rename", "attic"])).status).toBe(EXIT.data);
  const status = await on(one, ["cluster", "status"]);
  expect([status.status, status.stderr]).toEqual([EXIT.ok, ""]);
  expect(status.stdout).toMatch(/^ {2}attic +up +unlocked +\d+\.\d+\.\d+\S* +https:\S+ +2\d{3}-/m);
  for (const name of [second, third]) expect(status.stdout).toMatch(new RegExp(`^ {2}${name} +up `, "m"));
  const shown = JSON.parse((await on(one, ["cluster", "status", "--json"])).stdout);
  expect(shown.nodes).toHaveLength(3);
  expect(shown.nodes[0]).toMatchObject({ name: "attic", state: "up", unlocked: true });
  const refused = await on(three, ["cluster", "leave"]);
  expect([refused.status, refused.stderr]).toEqual([EXIT.usage, expect.stringContaining("--yes")]);
  expect(existsSync(join(credentialsOf(three.dataDir), "node.key"))).toBe(true);
  const left = await on(three, ["cluster", "leave", "--yes"]);
  expect([left.status, left.stdout]).toEqual([EXIT.ok, `this server left ${shown.cluster_id}\n`]);
  expect(readdirSync(credentialsOf(three.dataDir))).toEqual([]);
  await statesCome(one, ["up", "up"]);
  const keyless = await on(one, ["cluster", "lock"]);
  expect([keyless.status, keyless.stderr]).toEqual([EXIT.failed, `not locked: attic, ${second}\n`]);
  for (const node of [one, two])
    expect((await on(node, ["key", "init", "--json"], `the key of ${newPin()}\n`)).status).toBe(EXIT.ok);
  await two.app.close();
  const partly = await on(one, ["cluster", "lock", "--json"]);
  expect(partly.status).toBe(EXIT.tryAgain);
  expect(JSON.parse(partly.stdout)).toMatchObject([
    { name: "attic", locked: true, reason: null },
    { name: second, locked: false, reason: "unreachable" },
  ]);
});

test("[C4] [L2] a lost node is removed by its name, and told of the salt that it still has", async () => {
  await using fleet = await startFleet(2);
  const [one, lost] = [fleet.at(0), fleet.at(1)];
  const name = await nameOf(lost);
  const unknown = await on(one, ["cluster", "remove", "nobody"]);
  expect([unknown.status, unknown.stderr]).toEqual([EXIT.data, expect.stringContaining(name)]);
  const removed = await on(one, ["cluster", "remove", name]);
  expect([removed.status, removed.stdout]).toEqual([EXIT.ok, `${name} is no node of the cluster any more\n`]);
  expect(removed.stderr).toContain("claviger reset-pin --new-salt");
  await statesCome(one, ["up"]);
  const own = await on(one, ["cluster", "remove", await idOf(one)]);
  expect([own.status, own.stderr]).toEqual([EXIT.data, expect.stringContaining("claviger cluster leave")]);
});

test("[C9] reset-pin --propagate gives the new PIN to all who are reached; --except takes a lost one off the list first", async () => {
  await using fleet = await startFleet(3);
  const [one, two, lost] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const [second, name, old] = [await nameOf(two), await nameOf(lost), tokenOf(one)];
  const reset = (words: readonly string[], pin = newPin()) => on(one, ["reset-pin", ...words], `${pin}\n`);
  expect((await reset(["--except", name])).status).toBe(EXIT.usage);
  expect((await reset(["--propagate", "--except", "nobody"])).status).toBe(EXIT.data);
  expect(tokenOf(one)).toBe(old);
  const done = await reset(["--new-salt", "--propagate", "--except", name]);
  expect([done.status, done.stdout]).toEqual([
    EXIT.ok,
    `The new PIN holds here; the old token is dead.\n${second} has the new PIN\n`,
  ]);
  expect([tokenOf(two), tokenOf(lost)]).toEqual([tokenOf(one), old]);
  for (const node of [one, two]) await statesCome(node, ["up", "up"]);
  await two.app.close();
  const partly = await reset(["--propagate", "--json"]);
  expect([partly.status, JSON.parse(partly.stdout)]).toEqual([
    EXIT.tryAgain,
    {
      ...{ reset: true, new_salt: false, epoch: 2 },
      nodes: [{ id: expect.any(String), name: second, taken: false, reason: "unreachable" }],
    },
  ]);
  await one.app.close();
  const before = tokenOf(one);
  const alone = await reset(["--propagate"]);
  expect(alone.status).toBe(EXIT.tryAgain);
  expect(alone.stdout).toMatch(/not given to the other nodes: .*\nType the same PIN on every other member/);
  expect(tokenOf(one)).not.toBe(before);
});
