import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import { requestRow } from "#test/request-row.ts";
import type { Database } from "./database.ts";
import { deleteOldest, type KeptTable, placeOfLast } from "./old-rows.ts";
import { openSqlite } from "./sqlite.ts";

const REQUESTS: KeptTable = {
  table: "request",
  key: ["seq"],
  time: "time",
  unitMs: 1,
  rowBytes: 200,
  keptAs: "request_log",
};
let dataDir: string;
let database: Database;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-old-rows-"));
  database = await openSqlite({ dataDir, clock: new FakeClock() });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
});

const fill = (times: readonly number[]) =>
  database.insertRows(
    "request",
    times.map((time) => requestRow({ time })),
  );
const left = async () => {
  const rows = await database.query.selectFrom("request").select("time").orderBy("time").execute();
  return rows.map(({ time }) => time);
};

test("what exceeds a number of rows ends where the newest of them begin, however many they are", async () => {
  const times = Array.from({ length: 12_000 }, (_, at) => at);
  await fill(times);
  expect(await placeOfLast(database.query, REQUESTS, 12_001)).toBeUndefined();
  expect(await placeOfLast(database.query, REQUESTS, 12_000)).toBe(0);
  expect(await placeOfLast(database.query, REQUESTS, 11_990)).toBe(10);
  expect(await placeOfLast(database.query, REQUESTS, 1)).toBe(11_999);
});

test("rows of one moment stay together", async () => {
  await fill([1, 2, 2, 2, 3]);
  expect(await placeOfLast(database.query, REQUESTS, 2)).toBe(2);
  expect(await placeOfLast(database.query, REQUESTS, 4)).toBe(2);
  expect(await placeOfLast(database.query, REQUESTS, 5)).toBe(1);
});

test("the oldest go first, a few at a time, and none that is as old as the place", async () => {
  await fill(Array.from({ length: 450 }, (_, at) => 449 - at));
  // All of them are in the sums: others stay.
  await database.query.updateTable("usage_progress").set({ summed: 1000 }).execute();
  const removed = [];
  do removed.push(await deleteOldest(database.query, REQUESTS, 440));
  while (removed.at(-1) !== 0);
  expect(removed).toEqual([200, 200, 40, 0]);
  expect(await left()).toEqual([440, 441, 442, 443, 444, 445, 446, 447, 448, 449]);
});
