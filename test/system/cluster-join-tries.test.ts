import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { JOIN_RUN_MS } from "#services/cluster/join/responder.ts";
import { JOIN_TRIES, JOINING_OPEN_MS } from "#services/cluster/join/shares.ts";
import { firstMessage } from "#test/cluster/hand-joiner.ts";
import { type JoinBench, nothing, openJoinBench, outcome } from "#test/cluster/join-bench.ts";

const MINUTE_MS = 60_000;

let bench: JoinBench;
beforeAll(async () => {
  bench = await openJoinBench(78);
});
beforeEach(async () => {
  await bench.restart();
  await bench.budget.reopen(nothing);
});
afterAll(() => bench[Symbol.asyncDispose]());

const leave = () => outcome(bench.begin());
const finish = (last: Awaited<ReturnType<JoinBench["beginWhole"]>>, record = nothing) =>
  outcome(bench.responder.finish(last.body, record));

test("[C5] a valid last message refunds its run: any number of servers may join", async () => {
  await bench.spend(JOIN_TRIES - 1);
  for (let time = 0; time < 3; time += 1) await bench.joinWhole();
  expect(bench.budget.isOpen()).toBe(true);
});

test("[C5] who leaves before the last message has spent a run, and 20 of these close joining", async () => {
  await bench.spend(JOIN_TRIES);
  expect(await leave()).toBe("joining_closed");
  expect(() => bench.responder.requireOpen()).toThrow(expect.objectContaining({ code: "joining_closed" }));
});

test("[C5] one run at a time: another is told when to come back, and begins after 60 s", async () => {
  await bench.begin();
  bench.clock.advance(12_500);
  await expect(bench.begin()).rejects.toMatchObject({ code: "join_busy", retryAfterS: 48 });
  bench.clock.advance(JOIN_RUN_MS - 12_501);
  expect(await leave()).toBe("join_busy");
  bench.clock.advance(1);
  expect(await leave()).toBe("done");
});

test("[C5] the last message comes within 60 s and once; a clock that was set back gives no longer", async () => {
  for (const ms of [JOIN_RUN_MS, -1]) {
    const last = await bench.beginWhole();
    bench.clock.advance(ms);
    expect(await finish(last)).toBe("wrong_pin");
    bench.clock.advance(JOIN_RUN_MS);
  }
  const { last } = await bench.joinWhole();
  expect(await finish(last)).toBe("wrong_pin");
});

test("[C5] 10,000 guesses in bursts, with restarts and over hours, are answered 20 times", async () => {
  const { body } = await firstMessage(`${bench.pin}1`, bench.tlsKey);
  const asked = { ...body, version: 1 } as const;
  const answers = new Map<string, number>();
  for (let burst = 0; burst < 100; burst += 1) {
    const all = await Promise.all(Array.from({ length: 100 }, () => outcome(bench.responder.start(asked))));
    for (const each of all) answers.set(each, (answers.get(each) ?? 0) + 1);
    if (burst % 3 === 1) await bench.restart();
    bench.clock.advance(burst < 60 ? 14_000 : 5 * MINUTE_MS);
  }
  expect(answers.get("done")).toBe(JOIN_TRIES);
  expect((answers.get("join_busy") ?? 0) + (answers.get("joining_closed") ?? 0)).toBe(10_000 - JOIN_TRIES);
});

test("[C5] `open` gives 20 again, and a run that was paid before gives nothing back after", async () => {
  const last = await bench.beginWhole();
  await bench.budget.reopen(nothing);
  expect(await finish(last)).toBe("done");
  await bench.spend(JOIN_TRIES);
  expect(await leave()).toBe("joining_closed");
  await bench.budget.reopen(nothing);
  expect(await leave()).toBe("done");
});

test("[C5] joining is open for 15 minutes, and a clock that is set back opens it no longer", async () => {
  bench.clock.advance(JOINING_OPEN_MS - 1);
  expect(bench.budget.isOpen()).toBe(true);
  bench.clock.advance(1);
  expect(bench.budget.isOpen()).toBe(false);
  bench.clock.advance(-JOINING_OPEN_MS - 1);
  expect(await leave()).toBe("joining_closed");
});

test("[C5] the 20th run may still end well, and is refunded", async () => {
  await bench.spend(JOIN_TRIES - 1);
  const last = await bench.beginWhole();
  expect(bench.budget.isOpen()).toBe(false);
  expect(() => bench.responder.requireOpen()).not.toThrow();
  expect(await finish(last)).toBe("done");
  expect(bench.budget.isOpen()).toBe(true);
});

test("[C5] what cannot be recorded is not given, and its run stays spent", async () => {
  const full = async () => {
    throw new AppError("storage_full");
  };
  await bench.spend(JOIN_TRIES - 1);
  expect(await finish(await bench.beginWhole(), full)).toBe("storage_full");
  expect(await leave()).toBe("joining_closed");
});
