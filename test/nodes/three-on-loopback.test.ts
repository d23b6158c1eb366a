import { expect, test } from "vitest";
import { newPin } from "#test/cluster/member.ts";
import { nodesOf, startFleet, statesCome } from "#test/cluster/whole-fleet.ts";

test("[C7] [C14] [H7] three servers of one PIN list each other, are locked with one call, and are seen to be locked", async () => {
  await using fleet = await startFleet(3);
  const ids = (await nodesOf(fleet.at(0))).map(({ id }) => id).toSorted();
  for (const node of fleet.nodes) {
    const rows = await nodesOf(node);
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids);
    for (const row of rows)
      expect(row).toMatchObject({ state: "up", unlocked: true, version: expect.any(String) });
  }
  const [one, two, three] = [fleet.at(0), fleet.at(1), fleet.at(2)];
  for (const node of [two, three]) {
    const body = { key: `a server key ${newPin()}` };
    expect((await node.control({ method: "POST", path: "/api/v1/key/initialize", body })).status).toBe(200);
  }
  const lock = await one.control({ method: "POST", path: "/api/v1/cluster/lock" });
  expect(
    Object(lock.json).data.map(({ locked, reason }: Record<string, unknown>) => [locked, reason]),
  ).toEqual(
    expect.arrayContaining([
      [false, "no_server_key"],
      [true, null],
      [true, null],
    ]),
  );
  // A locked node greets all the same.
  await expect
    .poll(async () => (await nodesOf(one)).map(({ unlocked }) => unlocked).toSorted(), { timeout: 10_000 })
    .toEqual([false, false, true]);
  await statesCome(one, ["up", "up", "up"]);
});
