import { request as httpRequest, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { EventBus } from "#platform/events/event-bus.ts";
import { openListener } from "#platform/http/listener.ts";
import type { Caller } from "#platform/http/ports.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { EventStreams } from "./sse-streams.ts";

const LOOK_MS = 500;

/** Streams whose gates a test can shut, and what they said of being watched. */
function openStreams() {
  const clock = new FakeClock();
  const bus = new EventBus({ clock, epoch: clock.now() });
  const gate = { holds: true, allows: true, locked: false };
  const watched: boolean[] = [];
  const streams = new EventStreams({
    bus,
    clock,
    gates: {
      lock: { isLocked: () => gate.locked },
      authenticator: { authenticate: () => ({ refused: "unknown" }), holds: () => gate.holds },
      authorizer: { allows: () => gate.allows },
    },
    onWatched: (isWatched) => watched.push(isWatched),
  });
  return { clock, bus, gate, watched, streams };
}

const caller = (id: string): Caller => ({ kind: "key", id, slot: 0, permissionSets: [] });

/** A connection that keeps to itself what it is given. */
function open(streams: EventStreams, id: string, from?: string) {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  let text = "";
  response.write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  streams.admit(caller(id));
  streams.open(response, { caller: caller(id), wants: () => true, from });
  return { response, text: () => text, leave: () => response.emit("close") };
}

test("[C8] there are a thousand streams at most, and room for another when one of them ends", () => {
  const { streams } = openStreams();
  const all = Array.from({ length: 1000 }, (_, at) => open(streams, `key_${Math.floor(at / 32)}`));
  expect(() => streams.admit(caller("key_new"))).toThrow(
    expect.objectContaining({ code: "rate_limited", retryAfterS: 5 }),
  );
  all[0]?.leave();
  expect(() => streams.admit(caller("key_new"))).not.toThrow();
  streams.close();
});

test("[C8] nobody is admitted once the lock is shut, nor at the stop", () => {
  const { streams, gate } = openStreams();
  gate.locked = true;
  expect(() => streams.admit(caller("key_1"))).toThrow(expect.objectContaining({ code: "server_locked" }));
  gate.locked = false;
  streams.close();
  expect(() => streams.admit(caller("key_1"))).toThrow(expect.objectContaining({ code: "shutting_down" }));
});

test.each([
  "holds",
  "allows",
] as const)("[I11] a right that ends without a word (%s) is seen within half a second, and ends the stream", (which) => {
  using timers = fakeTimers();
  const { streams, gate } = openStreams();
  open(streams, "key_1");
  timers.advance(LOOK_MS);
  expect(streams.size).toBe(1);
  gate[which] = false;
  timers.advance(LOOK_MS);
  expect(streams.size).toBe(0);
  streams.close();
});

test("[C8] the heartbeat comes after 15 seconds by the clock, and every 15 seconds from then on", () => {
  using timers = fakeTimers();
  const { streams, clock } = openStreams();
  const stream = open(streams, "key_1");
  const beatsAfter = (ms: number) => {
    clock.advance(ms);
    timers.advance(LOOK_MS);
    return stream.text().split(": heartbeat\n").length - 1;
  };
  expect([14_999, 1, 14_999, 1].map(beatsAfter)).toEqual([0, 1, 1, 2]);
  streams.close();
});

test("[C8] usage is wanted from the first listener on until five minutes after the last, and who is away longer reads afresh", () => {
  using timers = fakeTimers();
  const { streams, bus, clock, watched } = openStreams();
  const advance = (ms: number) => {
    clock.advance(ms);
    timers.advance(LOOK_MS);
  };
  expect(watched).toEqual([]);
  const first = open(streams, "key_1");
  const read = bus.idOf(bus.last);
  first.leave();
  advance(5 * 60 * 1000);
  expect(watched).toEqual([true]);
  const back = open(streams, "key_1", read);
  expect(back.text()).not.toContain("reset");
  back.leave();
  advance(5 * 60 * 1000 + 1);
  expect(watched).toEqual([true, false]);
  // Nothing was published meanwhile, but something may have been used.
  expect(open(streams, "key_2").text()).not.toContain("reset");
  expect(watched).toEqual([true, false, true]);
  expect(open(streams, "key_1", read).text()).toContain('event: reset\ndata: {"reason":"too_old"}');
  streams.close();
  expect(watched).toEqual([true, false, true, false]);
});

test("[C8] a reader that reads nothing is cut when its next event is not kept any more, and takes no more memory until then", async () => {
  const { streams, bus } = openStreams();
  const responses: ServerResponse[] = [];
  await using listener = await listening(streams, responses);
  const answer = await new Promise<IncomingMessage>((resolve) =>
    httpRequest(listener.url, { agent: false }, resolve).end(),
  );
  answer.pause();
  const name = "x".repeat(4096);
  for (let at = 0; at < 1000; at += 1) bus.publish("key.created", { name });
  expect(streams.size).toBe(1);
  expect(responses[0]?.writableLength).toBeLessThan(128 * 1024);
  for (let at = 0; at < 100; at += 1) bus.publish("key.created", { name });
  expect(streams.size).toBe(0);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  expect(Buffer.concat(chunks).toString()).toMatch(/\n\n: too slow\n\n$/);
});

async function listening(streams: EventStreams, responses: ServerResponse[]) {
  const listener = await openListener({
    target: { host: "127.0.0.1", port: 0 },
    policy: listenerPolicy(),
    front: (_request, response) => {
      responses.push(response);
      response.writeHead(200);
      streams.open(response, { caller: caller("key_1"), wants: () => true, from: undefined });
    },
    newRequestId: () => "req_test",
    onBroken: () => {},
  });
  return {
    url: listener.url,
    [Symbol.asyncDispose]: async () => {
      streams.close();
      await listener.close(0);
    },
  };
}

function fakeTimers() {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  return {
    advance: (ms: number) => void vi.advanceTimersByTime(ms),
    [Symbol.dispose]: () => void vi.useRealTimers(),
  };
}
