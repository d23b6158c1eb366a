import { expect, test } from "vitest";
import { MOST_NODES } from "#services/cluster/members/member-record.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { type BenchNode, NodeBench } from "./node-bench.ts";

const YEARS_MS = 20 * 365 * 24 * 3600 * 1000;
const namesOf = (node: BenchNode) =>
  node.roster
    .records()
    .map(({ name }) => name)
    .sort();
const listsOf = (nodes: readonly BenchNode[]) => nodes.map(({ roster }) => roster.records());

async function openThree(bench: NodeBench) {
  const [first, second, third] = [await bench.open("a"), await bench.open("b"), await bench.open("c")];
  await bench.join(second, first);
  await bench.join(third, first);
  await bench.greet(2);
  return { first, second, third };
}

test("[C7] two exchanges make what nodes know equal, and each sees the others up", async () => {
  await using bench = new NodeBench();
  const { first, second, third } = await openThree(bench);
  expect(first.states()).toEqual({ b: "up", c: "up" });
  expect(second.states()).toEqual({ a: "up", c: "up" });
  expect(third.states()).toEqual({ a: "up", b: "up" });
  expect(first.presence.heardOf(second.id)).toMatchObject({ unlocked: true, models: ["sim/m-1"] });
  second.told.models = ["sim/m-2"];
  second.told.unlocked = false;
  await bench.greet(2);
  for (const node of [first, third])
    expect(node.presence.heardOf(second.id)).toMatchObject({ unlocked: false, models: ["sim/m-2"] });
});

test("[C7] nodes that were admitted on both sides of a partition are known to all when it heals", async () => {
  await using bench = new NodeBench();
  const { first, second, third } = await openThree(bench);
  const [left, right] = [await bench.open("d"), await bench.open("e")];
  const side = (node: BenchNode) => [first, left].includes(node);
  bench.cut((from, to) => side(from) !== side(to));
  await bench.join(left, first);
  await bench.join(right, second);
  bench.timers.advance(8000);
  await bench.greet(3);
  expect(first.states()).toEqual({ b: "down", c: "down", d: "up" });
  expect(third.states()).toEqual({ a: "down", b: "up", e: "up" });
  bench.heal();
  await bench.greet(3);
  const all = [first, second, third, left, right];
  for (const list of listsOf(all)) expect(list).toEqual(first.roster.records());
  for (const node of all) expect(Object.values(node.states())).toEqual(["up", "up", "up", "up"]);
});

test("[C7] two that got one name apart from each other end with two, the same on all", async () => {
  await using bench = new NodeBench();
  const { first, second, third } = await openThree(bench);
  const [one, other] = [await bench.open("box"), await bench.open("box")];
  const side = (node: BenchNode) => [first, one].includes(node);
  bench.cut((from, to) => side(from) !== side(to));
  expect((await bench.join(one, first)).name).toBe("box");
  expect((await bench.join(other, second)).name).toBe("box");
  await bench.greet(2);
  bench.heal();
  await bench.greet(4);
  for (const node of [first, second, third, one, other])
    expect(namesOf(node)).toEqual(["a", "b", "box", "box-2", "c"]);
  expect((await bench.join(await bench.open("box"), third)).name).toBe("box-3");
});

test("[C7] a clock that is years ahead or behind changes nothing", async () => {
  await using bench = new NodeBench();
  const first = await bench.open("a");
  const ahead = await bench.open("b", new FakeClock(Date.UTC(2026, 0, 1) + YEARS_MS));
  const behind = await bench.open("c", new FakeClock(0));
  await bench.join(ahead, first);
  await bench.join(behind, ahead);
  await bench.greet(2);
  expect(first.states()).toEqual({ b: "up", c: "up" });
  expect(behind.states()).toEqual({ a: "up", b: "up" });
  await ahead.roster.change({ name: "renamed" });
  first.clock.advance(YEARS_MS);
  await bench.greet(1);
  expect(first.states()).toEqual({ c: "up", renamed: "up" });
  expect(first.presence.lastSeenMs(ahead.id)).toBe(first.clock.now());
});

test("[C7] one that was removed is told so once, greets nobody, and is known nowhere; it does not come back by itself", async () => {
  await using bench = new NodeBench();
  const { first, second, third } = await openThree(bench);
  await first.roster.remove(third.id, async () => {});
  await first.presence.greetAll();
  await third.roster.merge(first.roster.records());
  await bench.greet(3);
  expect(second.states()).toEqual({ a: "up" });
  expect(third.roster.self()?.left).toBe(true);
  expect(third.lines.filter((line) => line.includes("no longer in the cluster"))).toHaveLength(1);
  third.outcomes.length = 0;
  await bench.greet(1);
  expect(third.outcomes).toEqual([]);
  expect(first.events.map(({ type }) => type)).toContain("node.left");
  await expect(first.roster.remove(third.id, async () => {})).rejects.toMatchObject({ code: "not_found" });
  await bench.join(third, first);
  await bench.greet(2);
  expect(second.states()).toEqual({ a: "up", c: "up" });
});

test("[C7] what somebody else writes of a node it refutes; a copy of it starts no storm", async () => {
  await using bench = new NodeBench();
  const { first, second } = await openThree(bench);
  const own = second.roster.self();
  if (own === undefined) throw new Error("no record");
  const forged = { ...own, urls: ["https://10.9.9.9:8442"], name: "forged", seq: own.seq + 5 };
  await first.roster.merge([forged]);
  await bench.greet(2);
  expect(first.roster.byId(second.id)).toMatchObject({ name: "b", urls: own.urls, seq: own.seq + 6 });
  for (let time = 0; time < 10; time += 1) {
    const seq = (second.roster.self()?.seq ?? 0) + 1;
    await second.roster.merge([{ ...forged, seq }]);
  }
  expect(second.roster.self()).toMatchObject({ name: "b", seq: own.seq + 6 });
  bench.timers.advance(5000);
  await second.roster.merge([{ ...forged, seq: own.seq + 20 }]);
  expect(second.roster.self()).toMatchObject({ name: "b", seq: own.seq + 21 });
});

test("[C9] who has another PIN is heard and told apart; its records are not taken, and it is told none", async () => {
  await using bench = new NodeBench();
  const { first, second, third } = await openThree(bench);
  Object.assign(first.told, { token: "two", generation: 2 });
  Object.assign(second.told, { token: "two", generation: 2 });
  const before = first.roster.records();
  await third.roster.change({ name: "with-the-old-pin" });
  await bench.greet(2);
  expect(first.states()).toEqual({ b: "up", c: "needs_pin" });
  expect(first.roster.records()).toEqual(before);
  expect(third.presence.stateOf(third.id)).toBe("needs_pin");
  expect(third.states()).toEqual({ a: "down", b: "down" });
  expect(first.presence.heartbeats.greetingFor(third.id)?.records).toBeUndefined();
  Object.assign(third.told, { token: "two", generation: 2 });
  await bench.greet(2);
  expect(first.states()).toEqual({ b: "up", "with-the-old-pin": "up" });
  expect(third.presence.stateOf(third.id)).toBe("up");
});

test("[C7] the cluster takes 64 nodes and no more; one that is heard keeps its id against another key", async () => {
  await using bench = new NodeBench();
  const { first, second } = await openThree(bench);
  const joiner = await bench.open("d");
  const own = joiner.roster.toAdmit(joiner.roster.self()?.node_key ?? "");
  const admit = (given: typeof own) =>
    first.database.transaction((query) => first.roster.admit(query, given));
  const known = second.roster.self();
  if (known === undefined) throw new Error("no record");
  await expect(admit({ ...known, node_key: own.node_key })).rejects.toMatchObject({ code: "node_exists" });
  await expect(admit({ ...own, id: first.id })).rejects.toMatchObject({ code: "node_exists" });
  bench.timers.advance(8000);
  expect(await admit({ ...known, node_key: own.node_key })).toMatchObject({
    admission: known.admission + 1,
    seq: 1,
  });
  const many = Array.from({ length: MOST_NODES - 3 }, (_, at) => ({
    ...own,
    id: `node_${String(at).padStart(16, "z")}`,
    name: `n-${at}`,
  }));
  await first.roster.merge(many);
  await expect(admit(own)).rejects.toMatchObject({ code: "cluster_full" });
});

test("[C7] what the store has of a node is read at the next start; what is damaged there is left out", async () => {
  await using bench = new NodeBench();
  const { first, second } = await openThree(bench);
  await first.database.query
    .updateTable("cluster_member")
    .set({ record: "{" })
    .where("id", "=", second.id)
    .execute();
  await first.roster.load();
  expect(namesOf(first)).toEqual(["a", "c"]);
  expect(first.lines.join("")).toContain(second.id);
  await bench.greet(3);
  expect(first.states()).toEqual({ b: "up", c: "up" });
});
