import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import { EventBus } from "./event-bus.ts";
import { Feed, type Reader } from "./feed.ts";

const ALL: Reader = { mayRead: () => true, sees: () => true };

/** Keeps what it is given; has room for so many texts at a time. */
class Shelf {
  readonly texts: string[] = [];
  ended = false;
  room = Number.POSITIVE_INFINITY;

  write(text: string): boolean {
    if (this.ended) throw new Error("written after the end");
    this.texts.push(text);
    this.room -= 1;
    return this.room > 0;
  }

  end(text: string): void {
    this.write(text);
    this.ended = true;
  }

  get text(): string {
    return this.texts.join("");
  }

  /** What a reader takes from it: numbers of the events, and `reset`. */
  read(): { seen: (number | "reset")[]; lastId: string } {
    const seen = [...this.text.matchAll(/^(?:data: .*"n":(\d+)|event: (reset))/gm)];
    return {
      seen: seen.map(([, number]) => (number === undefined ? "reset" : Number(number))),
      lastId: [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? "",
    };
  }
}

function openBus(clock = new FakeClock()) {
  const bus = new EventBus({ clock, epoch: clock.now() });
  let n = 0;
  return { clock, bus, publish: () => bus.publish("usage.recorded", { n: ++n }) };
}

function feedOf(bus: EventBus, more: { reader?: Reader; from?: string; room?: number } = {}) {
  const shelf = new Shelf();
  shelf.room = more.room ?? shelf.room;
  let ends = 0;
  const onEnd = () => {
    ends += 1;
  };
  const feed = new Feed(bus, { outlet: shelf, reader: more.reader ?? ALL, from: more.from, onEnd });
  return { feed, shelf, ends: () => ends };
}

test("[C8] it begins with the time to wait before coming back and the place from which one then goes on", () => {
  const { bus, publish } = openBus();
  publish();
  expect(feedOf(bus).shelf.text).toBe(`retry: 2000\nid: ${bus.idOf(1)}\n\n`);
});

test("[C8] an event is id, event and one line of data", () => {
  const { bus } = openBus();
  const { shelf } = feedOf(bus);
  bus.publish("key.created", { name: "two\nlines\r\u2028" });
  expect(shelf.texts[1]).toBe(
    `id: ${bus.idOf(1)}\nevent: key.created\ndata: {"time":"2026-01-01T00:00:00.000Z","name":"two\\nlines\\r\u2028"}\n\n`,
  );
});

test("[C8] whoever is cut off anywhere, however often and however slow he is, reads every event once and in order", () => {
  const step = fc.constantFrom("publish", "publish", "publish", "drain", "beat", "cut", "cut-midway");
  const property = fc.property(
    fc.array(step, { maxLength: 200 }),
    fc.integer({ min: 2, max: 5 }),
    (steps, room) => {
      const { bus, publish } = openBus();
      const seen: unknown[] = [];
      let { feed, shelf } = feedOf(bus, { room });
      for (const what of steps) {
        if (what === "publish") publish();
        if (what === "beat") feed.beat();
        if (what === "drain") {
          shelf.room = room;
          feed.drained();
        }
        if (what !== "cut" && what !== "cut-midway") continue;
        feed.left();
        // What was on its way when the connection broke never arrived.
        if (what === "cut-midway" && shelf.texts.length > 1) shelf.texts.pop();
        const read = shelf.read();
        seen.push(...read.seen);
        ({ feed, shelf } = feedOf(bus, { room, from: read.lastId }));
      }
      feed.finish("over");
      seen.push(...shelf.read().seen);
      expect(seen).toEqual(Array.from({ length: bus.last }, (_, at) => at + 1));
    },
  );
  fc.assert(property, { numRuns: 500, seed: 7 });
});

test.each([
  "nonsense",
  "0mjuohs00-00000009",
])("[C8] who comes back with %s is told to read afresh", (from) => {
  const { bus, publish } = openBus();
  publish();
  const { shelf } = feedOf(bus, { from });
  expect(shelf.text).toBe(`retry: 2000\nevent: reset\ndata: {"reason":"unknown_id"}\nid: ${bus.idOf(1)}\n\n`);
  publish();
  expect(shelf.read()).toEqual({ seen: ["reset", 2], lastId: bus.idOf(2) });
});

test("[C8] who comes back too late is told so", () => {
  const { bus, publish, clock } = openBus();
  const from = bus.idOf(0);
  publish();
  clock.advance(5 * 60 * 1000 + 1);
  expect(feedOf(bus, { from }).shelf.text).toContain('event: reset\ndata: {"reason":"too_old"}\n');
});

test("[C8] a slow reader is given nothing that he has no room for, and is sent away when what he waits for is gone", () => {
  const { bus, publish } = openBus();
  const { shelf, ends } = feedOf(bus, { room: 3 });
  for (let at = 0; at < 1002; at += 1) publish();
  expect(shelf.read().seen).toEqual([1, 2]);
  expect(shelf.ended).toBe(false);
  publish();
  expect(shelf.texts.at(-1)).toBe(": too slow\n\n");
  expect(shelf.ended).toBe(true);
  expect(ends()).toBe(1);
  publish();
  expect(shelf.texts).toHaveLength(4);
});

test("[C8] a heartbeat is a comment and moves the place of one who saw none of the last events", () => {
  const { bus, publish } = openBus();
  const { feed, shelf } = feedOf(bus, { reader: { ...ALL, sees: () => false } });
  publish();
  feed.beat();
  expect(shelf.texts.slice(1)).toEqual([`: heartbeat\nid: ${bus.idOf(1)}\n\n`]);
});

test("[C8] a heartbeat waits for room", () => {
  const { bus } = openBus();
  const { feed, shelf } = feedOf(bus, { room: 1 });
  feed.beat();
  expect(shelf.texts).toHaveLength(1);
});

test.each([
  ["an event", (_feed: Feed, publish: () => unknown) => void publish()],
  ["a heartbeat", (feed: Feed) => feed.beat()],
  ["a look", (feed: Feed) => feed.check()],
  ["the end", (feed: Feed) => feed.finish("over")],
] as const)("[I11] one who may read no more gets nothing of %s", (_what, happens) => {
  const { bus, publish } = openBus();
  let may = true;
  const { feed, shelf, ends } = feedOf(bus, { reader: { ...ALL, mayRead: () => may } });
  may = false;
  happens(feed, publish);
  expect(shelf.read().seen).toEqual([]);
  expect(shelf.ended).toBe(true);
  expect(ends()).toBe(1);
});

test("[C8] what is left is given out at the end, whether there is room or not", () => {
  const { bus, publish } = openBus();
  const { feed, shelf } = feedOf(bus, { room: 1 });
  publish();
  publish();
  feed.finish("over");
  feed.finish("again");
  expect(shelf.read().seen).toEqual([1, 2]);
  expect(shelf.texts.at(-1)).toBe(": over\n\n");
});
