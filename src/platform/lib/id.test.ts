import { expect, test } from "vitest";
import { newRequestId, timeOfRequestId } from "./id.ts";
import { systemRandom } from "./random.ts";

const NOW = Date.UTC(2026, 10, 22);

test("ids of requests sort by their time, in every index that compares bytes", () => {
  const times = [0, 1, 61, 62, 3843, 3844, NOW - 1, NOW, NOW + 1, NOW + 86_400_000, Date.UTC(8000, 0)];
  const ids = times.map((at) => newRequestId(at, systemRandom));
  for (const id of ids) expect(id).toMatch(/^req_[0-9A-Za-z]{16}$/);
  expect(ids.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(ids);
});

test("ids of one millisecond differ, whatever times lie between", () => {
  const ids = Array.from({ length: 10_000 }, (_, number) => newRequestId(NOW + (number % 3), systemRandom));
  expect(new Set(ids).size).toBe(ids.length);
});

test("an id of a request tells its time, and what only resembles one tells none", () => {
  for (const time of [0, 1, 3843, NOW, Date.UTC(8000, 0)])
    expect(timeOfRequestId(newRequestId(time, systemRandom))).toBe(time);
  const id = newRequestId(NOW, systemRandom);
  for (const other of [
    "",
    id.slice(1),
    `${id}0`,
    `REQ_${id.slice(4)}`,
    `req_-${id.slice(5)}`,
    `req_\u00e9${id.slice(5)}`,
  ])
    expect(timeOfRequestId(other), other).toBeUndefined();
});
