import { expect, test } from "vitest";
import { EventBus } from "#platform/events/event-bus.ts";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { followSeal, tellsOfReseal } from "./server-key.ts";

/** A seal that says what the test says, and what follows it, each with a word of it. */
function follow(startsLocked: boolean) {
  const clock = new FakeClock();
  const bus = new EventBus({ clock, epoch: clock.now() });
  const said: string[] = [];
  const lock = new SharedFlag();
  const threads: (() => void)[] = [];
  const listeners = { lock: () => {}, unlock: async () => {} };
  let locked = startsLocked;
  followSeal({
    seal: {
      isLocked: () => locked,
      onLock: (listener) => {
        listeners.lock = listener;
        return () => {};
      },
      onUnlock: (listener) => {
        listeners.unlock = async () => listener();
        return () => {};
      },
    },
    lock,
    workers: {
      tell: ({ kind }) => void said.push(`threads ${kind}, flag ${lock.raised}`),
      unlocked: () => new Promise<void>((resolve) => threads.push(resolve)),
    },
    gateway: { endAll: () => said.push("answers ended"), unlocked: () => said.push("lists asked anew") },
    bus,
    streams: { endAll: () => said.push("listeners ended") },
  });
  const set = (isLocked: boolean) => {
    locked = isLocked;
    return isLocked ? listeners.lock() : listeners.unlock();
  };
  return { lock, said, set, threadsAnswer: () => threads.shift()?.(), events: () => bus.last };
}

test("[S9] a lock raises the flag of all threads before it tells them anything", () => {
  const { lock, said, set, events } = follow(false);
  expect(lock.raised).toBe(false);
  void set(true);
  expect(said).toEqual(["threads locked, flag true", "answers ended", "listeners ended"]);
  expect([lock.raised, events()]).toEqual([true, 1]);
});

test("[S3] [S9] the flag of a locked start is up, and comes down when every thread has dropped what was before", async () => {
  const { lock, set, threadsAnswer, events } = follow(true);
  expect(lock.raised).toBe(true);
  const unlocked = set(false);
  await new Promise(setImmediate);
  expect([lock.raised, events()]).toEqual([true, 0]);
  threadsAnswer();
  await unlocked;
  expect([lock.raised, events()]).toEqual([false, 1]);
});

test("[S10] a lock that comes while threads are still to answer stays", async () => {
  const { lock, set, threadsAnswer, events } = follow(true);
  const unlocked = set(false);
  void set(true);
  threadsAnswer();
  await unlocked;
  expect([lock.raised, events()]).toEqual([true, 1]);
});

test("[S7] the re-sealing is told of while it runs and something was done, and once when it has ended", () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const bus = new EventBus({ clock, epoch: clock.now() });
  const from = bus.last;
  let progress = { running: false, done: 0, total: 0 };
  const tell = tellsOfReseal({ seal: { resealProgress: () => progress }, bus });
  for (const [running, done] of [
    [false, 0],
    [true, 0],
    [true, 0],
    [true, 4],
    [false, 9],
    [false, 9],
    [true, 0],
    [false, 9],
  ] as const) {
    progress = { running, done, total: 9 };
    const before = bus.last;
    tell();
    told.push(`${running} ${done}: ${bus.last - before}`);
  }
  expect(told).toEqual([
    "false 0: 0",
    "true 0: 1",
    "true 0: 0",
    "true 4: 1",
    "false 9: 1",
    "false 9: 0",
    "true 0: 1",
    "false 9: 1",
  ]);
  expect(bus.last - from).toBe(5);
});
