import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newPin, openToMembers, startMember, tokenOf } from "#test/cluster/member.ts";
import { atTerminal } from "./terminal.ts";

vi.setConfig({ testTimeout: 300_000 });

const clusterOf = async (node: TestClaviger) => Object(await node.control({ path: "/api/v1/cluster" })).json;

test("[C9] without files reset-pin asks for a member's address: it joins that one's cluster, or begins one where none is given", async () => {
  const pin = newPin();
  const { claviger, url } = await startMember(pin);
  await using member = claviger;
  await using joiner = await startClaviger();
  await openToMembers(joiner);
  const joined = await atTerminal(
    ["reset-pin", "--data-dir", joiner.dataDir],
    [
      ["Address of a member", url],
      ["PIN of the cluster", pin],
      ["claviger.yaml?", "n"],
    ],
  );
  expect([joined.status, joined.shown]).toEqual([
    0,
    expect.stringContaining("this server is a member of cluster_"),
  ]);
  expect(joined.raw).not.toContain(pin);
  expect(tokenOf(joiner)).toBe(tokenOf(member));
  await using first = await startClaviger();
  await openToMembers(first);
  const begun = await atTerminal(
    ["reset-pin", "--data-dir", first.dataDir],
    [
      ["Address of a member", ""],
      ["PIN", pin],
      ["once more", pin],
      ["claviger.yaml?", "n"],
    ],
  );
  expect([begun.status, begun.shown]).toEqual([0, expect.stringContaining("in the cluster cluster_")]);
  expect(begun.raw).not.toContain(pin);
  expect(tokenOf(first)).not.toBe(tokenOf(member));
});

test("[C4] at a terminal leave asks, and does nothing unless that was agreed to", async () => {
  const { claviger } = await startMember(newPin());
  await using member = claviger;
  const leave = (answer: string) =>
    atTerminal(["cluster", "leave", "--data-dir", member.dataDir], [["Leave the cluster", answer]]);
  const kept = await leave("n");
  expect([kept.status, kept.shown]).toEqual([1, expect.stringContaining("nothing was changed")]);
  expect(await clusterOf(member)).toMatchObject({ status: "member" });
  expect((await leave("y")).status).toBe(0);
  expect(await clusterOf(member)).toMatchObject({ status: "none" });
});
