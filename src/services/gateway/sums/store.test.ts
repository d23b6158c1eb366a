import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { expectedSums, storedSums } from "#test/expected-sums.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { requestRow } from "#test/request-row.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { dropOld, HOUR_MS, readProgress, sumNewRows, sumOldRows } from "./store.ts";

const MIDNIGHT = Date.UTC(2026, 2, 29);
const ALL = { rows: 1_000_000, minutesFrom: 0 };
let dataDir: string;
let database: Database;

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), "claviger-sums-"));
  database = await openSqlite({ dataDir, clock: new FakeClock() });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Rows as no clock orders them: around the midnight of a change to summer time, back and forth. */
function rowsOf(seed: number, count: number) {
  const random = seededRandom(seed);
  const below = (most: number) => random.bytes(4).readUInt32LE() % most;
  const maybe = (value: number) => (below(4) === 0 ? null : value);
  return Array.from({ length: count }, (_, number) =>
    requestRow({
      time: MIDNIGHT + below(30) * 300_000 - 15 * 300_000 + below(2) * 59_999,
      request_id: `req_${number}`,
      principal: `key_${below(4)}`,
      provider: below(5) === 0 ? null : `provider-${below(2)}`,
      model: `model-${below(3)}`,
      status: [200, 200, 200, 400, 429, 499, 500, 502][below(8)] ?? 200,
      latency_ms: below(9000) / 3,
      first_byte_ms: maybe(below(500)),
      input_tokens: maybe(below(1000)),
      output_tokens: maybe(below(1000)),
      cost_nano_usd: maybe(below(1_000_000)),
      estimated: below(2),
    }),
  );
}

test("[W5] whatever rows come and however they are sliced, the sums are those of the rows", async () => {
  for (const seed of [1, 2, 3]) {
    const rows = rowsOf(seed, 300);
    await database.insertRows("request", rows);
    let isDone = false;
    while (!isDone)
      isDone = await database.transaction((query) => sumNewRows(query, { ...ALL, rows: 7 * seed }));
  }
  expect(await storedSums(database)).toEqual(expectedSums([1, 2, 3].flatMap((seed) => rowsOf(seed, 300))));
});

test("[W5] a slice that fails leaves no trace, and is summed once when it is tried again", async () => {
  const rows = rowsOf(4, 50);
  await database.insertRows("request", rows);
  const failing = database.transaction(async (query) => {
    await sumNewRows(query, ALL);
    throw new RangeError("stop");
  });
  await expect(failing).rejects.toThrow(RangeError);
  expect(await storedSums(database)).toEqual({});
  await database.transaction((query) => sumNewRows(query, ALL));
  await database.transaction((query) => sumNewRows(query, ALL));
  expect(await storedSums(database)).toEqual(expectedSums(rows));
});

test("[W5] [N12] rows of an older store are summed behind the start, whenever that is interrupted", async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
  const clock = new FakeClock();
  database = await openSqlite({ dataDir, clock, migrations: MIGRATIONS.slice(0, 14) });
  const [old, later] = [rowsOf(5, 100), rowsOf(6, 40)];
  await database.insertRows("request", old);
  await database.close();
  database = await openSqlite({ dataDir, clock });
  await database.insertRows("request", later);
  await database.transaction((query) => sumNewRows(query, ALL));
  for (let slices = 1; ; slices += 1) {
    if (await database.transaction((query) => sumOldRows(query, { ...ALL, rows: 30 }))) break;
    expect((await readProgress(database.query)).unsummed).toBe(100 - 30 * slices);
    await database.close();
    database = await openSqlite({ dataDir, clock });
  }
  expect(await storedSums(database)).toEqual(expectedSums([...old, ...later]));
  expect(await database.transaction((query) => sumOldRows(query, ALL))).toBe(true);
  expect(await storedSums(database)).toEqual(expectedSums([...old, ...later]));
});

test("[W5] a row that is in no sum yet cannot be deleted; a number that is given back is counted again", async () => {
  const rows = rowsOf(7, 30);
  const numbers = async () =>
    (await database.query.selectFrom("request").select("seq").orderBy("seq").execute()).map(({ seq }) => seq);
  await database.insertRows("request", rows.slice(0, 10));
  await database.transaction((query) => sumNewRows(query, ALL));
  await database.insertRows("request", rows.slice(10, 12));
  await database.query.deleteFrom("request").execute();
  expect(await numbers()).toEqual([11, 12]);
  await database.transaction((query) => sumNewRows(query, ALL));
  await database.query.deleteFrom("request").execute();
  expect(await numbers()).toEqual([]);
  await database.insertRows("request", rows.slice(12));
  expect((await numbers())[0]).toBe(1);
  await database.transaction((query) => sumNewRows(query, ALL));
  expect(await storedSums(database)).toEqual(expectedSums(rows));
});

test("[W5] minutes of long ago are dropped, an hour at a time; hours and days stay, and rows of then have no minutes", async () => {
  const rows = [0, 1, 2].map((hour) => requestRow({ time: MIDNIGHT + hour * HOUR_MS }));
  await database.insertRows("request", rows);
  await database.transaction((query) => sumNewRows(query, ALL));
  const minutes = async () =>
    Object.keys(await storedSums(database)).filter((key) => /^(step|latencies)\|60000\|/.test(key)).length;
  const others = async () => Object.keys(await storedSums(database)).length - (await minutes());
  const before = await others();
  expect(await minutes()).toBe(6);
  for (const left of [4, 2, 2]) {
    await database.transaction((query) => dropOld(query, MIDNIGHT + 2 * HOUR_MS));
    expect(await minutes()).toBe(left);
  }
  await database.insertRows("request", rows);
  await database.transaction((query) => sumNewRows(query, { ...ALL, minutesFrom: MIDNIGHT + 2 * HOUR_MS }));
  expect([await minutes(), await others()]).toEqual([2, before]);
});

test("[W5] entries of the index that lead to no row are dropped", async () => {
  await database.insertRows(
    "request",
    [0, 1].map((hour) => requestRow({ time: MIDNIGHT + hour * HOUR_MS })),
  );
  await database.transaction((query) => sumNewRows(query, ALL));
  const entries = async () =>
    (await database.query.selectFrom("request_index").select("hour").groupBy("hour").execute()).map(
      ({ hour }) => hour,
    );
  const hour = MIDNIGHT / HOUR_MS;
  await database.transaction((query) => dropOld(query, 0));
  expect(await entries()).toEqual([hour, hour + 1]);
  await database.query.deleteFrom("request").execute();
  await database.transaction((query) => dropOld(query, 0));
  expect(await entries()).toEqual([hour + 1]);
  await database.transaction((query) => dropOld(query, 0));
  expect(await entries()).toEqual([]);
});
