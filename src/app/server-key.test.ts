import { expect, test } from "vitest";
import { EventBus } from "#platform/events/event-bus.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { tellsOfReseal } from "./server-key.ts";

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
