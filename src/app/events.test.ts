import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { EventBus } from "#platform/events/event-bus.ts";
import { openMetrics } from "#platform/log/metrics/metrics.ts";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openListening } from "./events.ts";

const ROW = {
  principal: "key_1",
  model: "p/m",
  status: 200,
  input_tokens: 3,
  output_tokens: 4,
  cost_nano_usd: 2_500_000,
};
const CALLER = { kind: "local" } as const;

test("[C8] what is used while somebody listens is one event a second, and what was left when the last one went is none", () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const clock = new FakeClock();
  const metrics = openMetrics({
    version: "0",
    clock,
    sealStatus: () => ({ initialized: true, unlocked: true }),
  });
  const bus = new EventBus({ clock, epoch: clock.now() });
  const watched = new SharedFlag();
  const gates = {
    lock: { isLocked: () => false },
    authenticator: { authenticate: () => ({ refused: "unknown" }) as const, holds: () => true },
    addressLimit: { failed: () => undefined, waitS: () => undefined },
    callerLimits: { begin: () => undefined },
    authorizer: { allows: () => true },
  };
  const { streams, usage } = openListening({ bus, clock, metrics, gates, watched });
  const listen = () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    streams.open(response, { caller: CALLER, wants: () => true, from: undefined });
    return response;
  };
  const published = (after: number) => bus.next(after);
  const first = listen();
  expect(watched.raised).toBe(true);
  usage.add(ROW);
  usage.add(ROW);
  vi.advanceTimersByTime(999);
  expect(published(1)).toBe(undefined);
  vi.advanceTimersByTime(1);
  const sum = { principal: "key_1", model: "p/m", requests: 2, errors: 0, input_tokens: 6, output_tokens: 8 };
  expect(published(1)).toMatchObject({
    type: "usage.recorded",
    data: { sums: [{ ...sum, cost_usd: 0.005 }] },
  });
  vi.advanceTimersByTime(5000);
  expect(bus.last).toBe(2);
  first.emit("close");
  clock.advance(5 * 60 * 1000 + 1);
  usage.add(ROW);
  vi.advanceTimersByTime(500);
  expect(watched.raised).toBe(false);
  listen();
  vi.advanceTimersByTime(5000);
  expect(bus.last).toBe(3);
  streams.close();
  metrics.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
