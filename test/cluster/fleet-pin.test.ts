import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { preparePinReset } from "#services/cluster/index.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { credentialsOf } from "./cluster-files.ts";
import { joinBy, newPin, nodeKeyOf, openToMembers, tokenOf } from "./member.ts";
import { dataOf, statusComes, statusWith } from "./member-calls.ts";
import { auditOf, idOf, startFleet, statesCome } from "./whole-fleet.ts";

vi.setConfig({ testTimeout: 120_000 });

/** As `claviger reset-pin` does on the files. */
async function setPin({ dataDir }: TestClaviger, pin: string, newSalt = false): Promise<void> {
  const reset = preparePinReset(credentialsOf(dataDir), process.getuid?.() ?? 0);
  if (reset.status !== "ready") throw new Error(reset.status);
  await reset.reset(new Secret(pin), { random: systemRandom, newSalt });
}

/** What came of it at the nodes of these ids. */
async function propagate(from: TestClaviger, ids: readonly string[]): Promise<unknown[]> {
  const answer = await from.control({ method: "POST", path: "/api/v1/cluster/propagate" });
  expect(answer.status, answer.text).toBe(200);
  const rows = dataOf(answer).map((row) => ({ ...Object(row) }));
  expect(rows).toHaveLength(ids.length);
  return ids.map((id) => {
    const row = rows.find((each) => each.id === id);
    return row?.taken === true && row.reason === null ? "taken" : row?.reason;
  });
}

const sharedOf = ({ dataDir }: TestClaviger) =>
  JSON.parse(readFileSync(join(credentialsOf(dataDir), "cluster.json"), "utf8"));
const idsOf = (nodes: readonly TestClaviger[]) => Promise.all(nodes.map(idOf));

test.each([
  false,
  true,
])("[C9] a PIN that is propagated holds on every member at once, its own key stays, and the old token is dead; new salt: %s", async (newSalt) => {
  await using fleet = await startFleet(3);
  const [first, ...others] = fleet.nodes;
  if (first === undefined) throw new Error("no first");
  const [old, keys, before] = [tokenOf(first), fleet.nodes.map(nodeKeyOf), sharedOf(first)];
  await setPin(first, newPin(), newSalt);
  expect(await propagate(first, await idsOf(others))).toEqual(["taken", "taken"]);
  const token = tokenOf(first);
  expect(token).not.toBe(old);
  expect(fleet.nodes.map(tokenOf)).toEqual([token, token, token]);
  expect(fleet.nodes.map(nodeKeyOf)).toEqual(keys);
  const now = sharedOf(first);
  expect(others.map(sharedOf)).toEqual([now, now]);
  expect([now.epoch, now.salt === before.salt, now.pepper === before.pepper]).toEqual(
    newSalt ? [2, false, false] : [1, true, true],
  );
  for (const node of fleet.nodes) {
    expect(await statusWith(node, token.trim())).toBe(200);
    expect(await statusWith(node, old.trim())).toBe(401);
    await statesCome(node, ["up", "up", "up"]);
  }
  const caller = await idOf(first);
  for (const node of others)
    expect(await auditOf(node, "cluster.pin.reset")).toMatchObject([{ actor: caller, outcome: "success" }]);
  // Again there is nothing to do.
  expect(await propagate(first, await idsOf(others))).toEqual(["taken", "taken"]);
  expect(sharedOf(first)).toEqual(now);
});

test("[C9] a node that was away needs the PIN, says so, and comes back where it is typed", async () => {
  await using fleet = await startFleet(3);
  const [first, second, away] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const ids = await idsOf([second, away]);
  await away.app.close();
  const pin = newPin();
  await setPin(first, pin);
  expect(await propagate(first, ids)).toEqual(["taken", "unreachable"]);
  await using back = await startClaviger({ dataDir: away.dataDir });
  await openToMembers(back);
  for (const other of [first, second]) await statesCome(other, ["up", "up", "needs_pin"]);
  // It is the one behind, and so are both others to it.
  await statesCome(back, ["needs_pin", "down", "down"]);
  expect(await statusWith(first, tokenOf(back).trim())).toBe(401);
  await setPin(back, pin);
  expect(tokenOf(back)).toBe(tokenOf(first));
  for (const node of [first, second, back]) await statesCome(node, ["up", "up", "up"]);
});

test("[C9] [C7] who has a node's key but never had the PIN sets none: nobody takes what it sends", async () => {
  await using fleet = await startFleet(3);
  const [first, second, thief] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const ids = await idsOf([first, second]);
  const [before, key] = [[first, second].map(sharedOf), nodeKeyOf(thief)];
  await thief.app.close();
  // Its count is the greater one, and the server does not know the PIN of before.
  await setPin(thief, newPin());
  await setPin(thief, newPin(), true);
  expect(nodeKeyOf(thief)).toBe(key);
  await using again = await startClaviger({ dataDir: thief.dataDir });
  await openToMembers(again);
  expect(await propagate(again, ids)).toEqual(["needs_pin", "needs_pin"]);
  expect([first, second].map(sharedOf)).toEqual(before);
  expect([tokenOf(first), tokenOf(second)]).not.toContain(tokenOf(thief));
  const [refused] = await auditOf(first, "cluster.pin.reset");
  expect(refused).toMatchObject({ actor: await idOf(again), outcome: "denied" });
});

test("[C9] the PIN that is propagated wins over one that was typed more often, and over no other one", async () => {
  await using fleet = await startFleet(3);
  const [first, often, other] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  const ids = await idsOf([often, other]);
  for (let time = 0; time < 3; time += 1) await setPin(often, fleet.pin);
  const elsewhere = newPin();
  await setPin(other, elsewhere);
  await statusComes(other, tokenOf(other).trim(), 200);
  await setPin(first, newPin());
  expect(sharedOf(often).pin_generation).toBe(4);
  expect(await propagate(first, ids)).toEqual(["taken", "needs_pin"]);
  expect(tokenOf(often)).toBe(tokenOf(first));
  expect([sharedOf(first), sharedOf(often)].map(({ pin_generation: count }) => count)).toEqual([5, 5]);
  expect(sharedOf(other).pin_generation).toBe(2);
});

test("[C9] with a new salt that is not propagated the others come back by a join, as the nodes they were", async () => {
  await using fleet = await startFleet(2);
  const [first, second] = [fleet.at(0), fleet.at(1)];
  const [id, key, pin] = [await idOf(second), nodeKeyOf(second), newPin()];
  await setPin(first, pin, true);
  await statesCome(first, ["up", "needs_pin"]);
  // The same PIN is not enough: the salt is another.
  await setPin(second, pin);
  expect(tokenOf(second)).not.toBe(tokenOf(first));
  const open = { method: "POST", path: "/api/v1/cluster/open" };
  expect((await first.control(open)).status).toBe(200);
  expect((await joinBy(second, fleet.urls[0] ?? "", pin)).status).toBe(201);
  expect(tokenOf(second)).toBe(tokenOf(first));
  expect([await idOf(second), nodeKeyOf(second)]).toEqual([id, key]);
  for (const node of [first, second]) await statesCome(node, ["up", "up"]);
});
