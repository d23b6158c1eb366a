import { expect, test } from "vitest";
import { spendAll } from "#test/cluster/simulated-member.ts";
import { SimulatedMembers } from "#test/cluster/simulated-members.ts";
import { JOIN_TRIES, JOINING_OPEN_MS } from "./shares.ts";

test.each([
  1, 2, 3, 4, 7, 20, 21, 64,
])("[C5] of %i members that reach each other any one may use all 20, and 20 again when any opens anew", async (count) => {
  const cluster = await SimulatedMembers.of(count);
  for (const opener of [cluster.first, cluster.last]) {
    await opener.open();
    await cluster.greet();
    const spent = await spendAll(cluster.last, 30);
    expect(spent).toBe(JOIN_TRIES);
    await cluster.greet();
    for (const { budget } of cluster.members) expect(budget.isOpen()).toBe(false);
  }
});

test.each([
  1, 2, 3, 7, 20, 21,
])("[C5] each of %i members that reach no other spends a share alone", async (count) => {
  const cluster = await SimulatedMembers.of(count);
  await cluster.first.open();
  await cluster.greet();
  cluster.part();
  for (const member of cluster.members)
    expect(await spendAll(member, 30)).toBe(Math.floor(JOIN_TRIES / count));
  cluster.mend();
  const rest = await spendAll(cluster.last, 30);
  expect(rest).toBe(JOIN_TRIES - count * Math.floor(JOIN_TRIES / count));
});

test("[C5] members that join meanwhile hold none, ask for one, and leave less for each alone", async () => {
  const cluster = await SimulatedMembers.of(1);
  await cluster.first.open();
  const joined = [await cluster.add(), await cluster.add()];
  await cluster.greet();
  for (const { budget } of joined) expect(budget.tell()).toMatchObject({ held: 0 });
  cluster.part();
  expect(await spendAll(cluster.last, 5)).toBe(0);
  expect(await spendAll(cluster.first, 30)).toBe(6);
  cluster.mend();
  expect(await spendAll(cluster.last, 30)).toBe(14);
});

test("[C5] who leaves leaves the others no more for each alone", async () => {
  const cluster = await SimulatedMembers.of(3);
  await cluster.first.open();
  await cluster.greet();
  cluster.part();
  cluster.members.pop();
  expect(await spendAll(cluster.first, 30)).toBe(6);
});

test("[C5] beyond its share a member spends what it holds when it reaches another, which keeps its own", async () => {
  const cluster = await SimulatedMembers.of(3);
  await cluster.first.open();
  await cluster.greet();
  expect(await spendAll(cluster.first, 8)).toBe(8);
  expect(cluster.at(1).budget.tell()).toMatchObject({ held: 6 });
  expect(cluster.last.budget.tell()).toMatchObject({ held: 6 });
});

test("[C5] who opened anew asks those of whom it knew that they had none, and they hear of it by that", async () => {
  const cluster = await SimulatedMembers.of(2);
  await cluster.first.open();
  expect(await spendAll(cluster.first, 30)).toBe(JOIN_TRIES);
  await cluster.first.open();
  expect(await spendAll(cluster.first, 30)).toBe(JOIN_TRIES);
});

test("[C5] who asks in an earlier term hears of the later one, and takes nothing of it", async () => {
  const cluster = await SimulatedMembers.of(2);
  await cluster.first.open();
  await cluster.greet();
  await spendAll(cluster.last, 10);
  await cluster.first.open();
  expect(await spendAll(cluster.last, 1)).toBe(1);
  expect(cluster.last.budget.tell()).toMatchObject({ number: 2, held: 9 });
  expect(cluster.first.budget.tell()).toMatchObject({ number: 2, held: 10 });
});

test("[C5] an answer that is lost loses a try, and makes none", async () => {
  const cluster = await SimulatedMembers.of(2);
  await cluster.first.open();
  await cluster.greet();
  expect(await spendAll(cluster.last, 10)).toBe(10);
  cluster.first.losesAnswer = true;
  expect(await cluster.last.spend()).toBeUndefined();
  expect((await spendAll(cluster.last, 30)) + 10).toBe(JOIN_TRIES - 1);
});

test("[C5] a valid last message gives the try back to where it was spent, and not into a later term", async () => {
  const cluster = await SimulatedMembers.of(2);
  await cluster.first.open();
  await cluster.greet();
  const before = await cluster.last.spend();
  await cluster.last.refund(required(before));
  expect(cluster.last.budget.tell()).toMatchObject({ held: 10 });
  cluster.part();
  for (let time = 0; time < 30; time += 1) await cluster.last.refund(required(await cluster.last.spend()));
  cluster.mend();
  const late = await cluster.last.spend();
  await cluster.first.open();
  await cluster.greet();
  await cluster.last.refund(required(late));
  expect(cluster.last.budget.tell()).toMatchObject({ number: 2, held: 10 });
});

test("[C5] joining is open everywhere for the same 15 minutes, whatever the clocks say", async () => {
  const cluster = await SimulatedMembers.of(2);
  cluster.last.clock.advance(1e12);
  await cluster.first.open();
  for (const member of cluster.members) member.wait(JOINING_OPEN_MS / 2);
  await cluster.greet();
  for (const member of cluster.members) member.wait(JOINING_OPEN_MS / 2 - 1);
  await cluster.greet();
  for (const { budget } of cluster.members) expect(budget.isOpen()).toBe(true);
  for (const member of cluster.members) member.wait(1);
  for (const { budget } of cluster.members) expect(budget.isOpen()).toBe(false);
  expect(cluster.first.budget.tell()).toMatchObject({ open_ms: 0, members: [] });
  const third = await cluster.add();
  await cluster.greet();
  expect(third.budget.isOpen()).toBe(false);
  cluster.first.clock.advance(-JOINING_OPEN_MS - 1);
  expect(cluster.first.budget.isOpen()).toBe(false);
});

test("[C5] a clock that is set back within the 15 minutes keeps joining open no longer, here nor elsewhere", async () => {
  const cluster = await SimulatedMembers.of(2);
  await cluster.first.open();
  cluster.first.wait(JOINING_OPEN_MS - 1);
  cluster.first.clock.advance(60_000 - JOINING_OPEN_MS);
  expect(cluster.first.budget.tell()).toMatchObject({ open_ms: 1 });
  expect(await spendAll(cluster.first, 1)).toBe(1);
  await cluster.greet();
  for (const member of cluster.members) {
    member.wait(1);
    expect(member.budget.isOpen()).toBe(false);
  }
  await cluster.last.open();
  await cluster.greet();
  for (const { budget } of cluster.members) expect(budget.tell()).toMatchObject({ open_ms: JOINING_OPEN_MS });
});

test("[C5] a clock that is set back to before the opening closes joining over a restart, and what was held is held", async () => {
  const cluster = await SimulatedMembers.of(1);
  await cluster.first.open();
  cluster.first.clock.advance(-1);
  await cluster.first.restart();
  expect(cluster.first.budget.isOpen()).toBe(false);
  cluster.first.clock.advance(1);
  await cluster.first.restart();
  expect(await spendAll(cluster.first, 30)).toBe(JOIN_TRIES);
});

test("[C5] what was of another cluster is nothing in this one", async () => {
  const cluster = await SimulatedMembers.of(1);
  await cluster.first.open();
  cluster.first.clusterId = "cluster_0000000000000002";
  expect(cluster.first.budget.tell()).toBeUndefined();
  expect(await spendAll(cluster.first, 1)).toBe(0);
  await cluster.first.open();
  expect(cluster.first.budget.tell()).toMatchObject({ number: 1, held: JOIN_TRIES });
  cluster.first.clusterId = undefined;
  expect(cluster.first.budget.tell()).toBeUndefined();
  expect(await cluster.first.open()).toBe(false);
});

test("[C5] of two openings at once one counts everywhere, and later ones count more", async () => {
  const cluster = await SimulatedMembers.of(3);
  cluster.part();
  await cluster.first.open();
  await cluster.last.open();
  cluster.mend();
  await cluster.greet();
  const number = 1;
  for (const { budget } of cluster.members)
    expect(budget.tell()).toMatchObject({ number, opener: cluster.last.id });
  await cluster.first.open();
  await cluster.greet();
  for (const { budget } of cluster.members)
    expect(budget.tell()).toMatchObject({ number: number + 1, opener: cluster.first.id });
});

test("[C5] a store that went back gives nobody the opener's share anew", async () => {
  const cluster = await SimulatedMembers.of(2);
  const older = cluster.first.stored;
  await cluster.first.open();
  await cluster.greet();
  await spendAll(cluster.first, 10);
  cluster.first.stored = older;
  await cluster.first.restart();
  await cluster.greet();
  expect(cluster.first.budget.tell()).toMatchObject({ number: 1, held: 0 });
});

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("was not answered");
  return value;
}
