import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { EventBus } from "./event-bus.ts";
import { nextEventEpoch } from "./event-epoch.ts";

const EPOCH = Date.UTC(2026, 0, 1);
const FIVE_MINUTES = 5 * 60 * 1000;

function busOf(clock = new FakeClock()): EventBus {
  return new EventBus({ clock, epoch: EPOCH });
}

test("[C8] an event has an id, its type, its time and its data", () => {
  const clock = new FakeClock(Date.UTC(2026, 4, 2));
  const event = busOf(clock).publish("key.created", { id: "key_1", name: "dev" });
  expect(event).toMatchObject({
    id: "0mjuohs00-00000001",
    type: "key.created",
    time: "2026-05-02T00:00:00.000Z",
    data: { id: "key_1", name: "dev" },
  });
});

test("[C8] ids increase as text, however many there are, and with every start", () => {
  const bus = busOf();
  const ids = Array.from({ length: 2000 }, () => bus.publish("seal.locked", {}).id);
  for (let number = 2001; number < 36 ** 8; number *= 6) ids.push(bus.idOf(Math.floor(number)));
  ids.push(new EventBus({ clock: new FakeClock(), epoch: EPOCH + 1 }).publish("seal.locked", {}).id);
  for (const [at, id] of ids.entries())
    if (at > 0 && id <= (ids[at - 1] ?? "")) expect.fail(`${id} at ${at}`);
});

test("[C8] every start has a greater epoch than the last, also where the clock was set back between them", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-events-"));
  const epochs: number[] = [];
  for (const now of [5000, 5000, 1000]) {
    const clock = new FakeClock(now);
    await using database = await openSqlite({ dataDir: directory.path, clock });
    epochs.push(await nextEventEpoch(database, clock));
  }
  expect(epochs).toEqual([5000, 5001, 5002]);
});

test("[C8] of a thousand and one events the first is not kept, and who has read none before it cannot go on", () => {
  const bus = busOf();
  const before = bus.idOf(0);
  for (let at = 0; at < 1000; at += 1) bus.publish("seal.locked", {});
  expect(bus.placeOf(before)).toEqual({ after: 0 });
  expect(bus.next(0)).toMatchObject({ number: 1 });
  bus.publish("seal.locked", {});
  expect(bus.placeOf(before)).toEqual({ gone: "too_old" });
  expect(bus.next(0)).toBe("lost");
  expect(bus.placeOf(bus.idOf(1))).toEqual({ after: 1 });
  expect(bus.next(1)).toMatchObject({ number: 2 });
});

test("[C8] an event is kept for five minutes; who had read it then goes on all the same", () => {
  const clock = new FakeClock();
  const bus = busOf(clock);
  const first = bus.publish("seal.locked", {}).id;
  clock.advance(1);
  const second = bus.publish("seal.locked", {}).id;
  clock.advance(FIVE_MINUTES);
  expect(bus.placeOf(first)).toEqual({ after: 1 });
  clock.advance(1);
  expect(bus.placeOf(first)).toEqual({ gone: "too_old" });
  expect(bus.placeOf(second)).toEqual({ after: 2 });
  expect(bus.next(2)).toBe(undefined);
});

test.each([
  "",
  "1",
  "0mjuohs00",
  "0mjuohs00-1",
  "0MJUOHS00-00000001",
  "000000000-00000001",
  "0mjuohs00-00000001, 0mjuohs00-00000001",
])("[C8] the id %j is none of this run", (id) => {
  const bus = busOf();
  bus.publish("seal.locked", {});
  expect(bus.placeOf(id)).toEqual({ gone: "unknown_id" });
});

test("[C8] an id that was not given out yet is none of this run", () => {
  const bus = busOf();
  expect(bus.placeOf(bus.idOf(0))).toEqual({ after: 0 });
  expect(bus.placeOf(bus.idOf(1))).toEqual({ gone: "unknown_id" });
});

test("[C8] what was forgotten is gone for everyone who read before, and for nobody after", () => {
  const bus = busOf();
  const before = bus.publish("seal.locked", {}).id;
  bus.forget();
  expect(bus.placeOf(before)).toEqual({ gone: "too_old" });
  expect(bus.placeOf(bus.idOf(bus.last))).toEqual({ after: bus.last });
});
