import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { FakeTimers } from "#test/fake-timers.ts";
import { Rounds } from "./rounds.ts";

function open(chance = 0.5) {
  const timers = new FakeTimers();
  const asked: PromiseWithResolvers<boolean>[] = [];
  const rounds = new Rounds({
    timers,
    chance: () => chance,
    members: () => new Map([["one", "one"]]),
    before: async () => {},
    greet: () => {
      const answer = Promise.withResolvers<boolean>();
      asked.push(answer);
      return answer.promise;
    },
  });
  const pass = async (ms: number) => {
    timers.advance(ms);
    await nextTurn();
  };
  return { rounds, asked, pass };
}

test.each([
  [0, 1800],
  [0.5, 2000],
  [1, 2200],
])("[C7] every 2 s a member is greeted, more or less: by the chance %d after %d ms", async (chance, ms) => {
  const { rounds, asked, pass } = open(chance);
  rounds.start();
  await pass(0);
  expect(asked).toHaveLength(1);
  asked[0]?.resolve(true);
  await nextTurn();
  await pass(ms - 1);
  expect(asked).toHaveLength(1);
  await pass(1);
  expect(asked).toHaveLength(2);
});

test("[C7] one who does not answer is not asked twice at once; who is to know at once is asked anew behind it", async () => {
  const { rounds, asked, pass } = open();
  rounds.start();
  await pass(0);
  await pass(20_000);
  expect(asked).toHaveLength(1);
  const settled: ReadonlySet<string>[] = [];
  for (let time = 0; time < 3; time += 1) void rounds.all().then((took) => settled.push(took));
  await nextTurn();
  expect(asked).toHaveLength(1);
  asked[0]?.resolve(false);
  await nextTurn();
  expect(asked).toHaveLength(2);
  expect(settled).toEqual([]);
  asked[1]?.resolve(true);
  await nextTurn();
  expect(settled).toEqual([new Set(["one"]), new Set(["one"]), new Set(["one"])]);
  expect(asked).toHaveLength(2);
});

test("[C7] many changes at once are one round; before the start and after the end there is none", async () => {
  const { rounds, asked, pass } = open();
  rounds.soon();
  await pass(1000);
  expect(asked).toHaveLength(0);
  rounds.start();
  await pass(0);
  asked[0]?.resolve(true);
  await nextTurn();
  for (let time = 0; time < 10; time += 1) rounds.soon();
  await pass(100);
  expect(asked).toHaveLength(2);
  asked[1]?.resolve(true);
  await nextTurn();
  rounds[Symbol.dispose]();
  rounds.soon();
  await pass(60_000);
  expect(asked).toHaveLength(2);
});
