import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { requestRow as row } from "#test/request-row.ts";
import { sumNewRows } from "../sums/store.ts";
import { incompleteDays, usageSums } from "./store.ts";
import { DAY_MS, dayOf } from "./usage-period.ts";

const MIDNIGHT = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;
const ALL = { from: MIDNIGHT - 10 * DAY_MS, to: MIDNIGHT + 10 * DAY_MS };
let dataDir: string;
let database: Database;

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), "claviger-usage-"));
  database = await openSqlite({ dataDir, clock: new FakeClock() });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

test("[G9] request rows are summed by key, model, provider and day", async () => {
  await database.insertRows("request", [
    row({ time: MIDNIGHT, principal: "key_a", model: "m1", cost_nano_usd: 1_500_000_001 }),
    row({ time: MIDNIGHT + 1, principal: "key_a", model: "m2", cost_nano_usd: 2, estimated: 1 }),
    row({ time: MIDNIGHT - 1, principal: "key_b", model: "m1", cost_nano_usd: null }),
    row({ time: MIDNIGHT - 1, provider: null, input_tokens: null, output_tokens: null, cost_nano_usd: null }),
  ]);
  const sum = {
    requests: 1,
    input_tokens: 10,
    output_tokens: 5,
    cost_usd: null,
    estimated_requests: 0,
    unpriced_requests: 0,
  };
  const both = {
    ...sum,
    requests: 2,
    input_tokens: 20,
    output_tokens: 10,
    estimated_requests: 1,
    cost_usd: 1.500000003,
  };
  const none = { ...sum, input_tokens: 0, output_tokens: 0 };
  expect(await sums("key")).toEqual([
    { name: "key_a", ...both },
    { name: "key_b", ...sum, unpriced_requests: 1 },
    { name: "key_z", ...none },
  ]);
  expect(await sums("day")).toEqual([
    { name: dayOf(MIDNIGHT) - 1, ...sum, requests: 2, unpriced_requests: 1 },
    { name: dayOf(MIDNIGHT), ...both },
  ]);
  expect((await sums("provider")).map(({ name, requests }) => [name, requests])).toEqual([
    ["", 1],
    ["openai", 3],
  ]);
  expect((await sums("model")).map(({ name, cost_usd }) => [name, cost_usd])).toEqual([
    ["m", null],
    ["m1", 1.500000001],
    ["m2", 0.000000002],
  ]);
});

test("[G9] the sums stay when the request rows are deleted", async () => {
  await database.insertRows("request", [row({}), row({})]);
  await database.transaction((query) => sumNewRows(query, { rows: 10, minutesFrom: 0 }));
  const before = await sums("key");
  await database.query.deleteFrom("request").execute();
  expect(await database.query.selectFrom("request").select("seq").execute()).toEqual([]);
  expect(before[0]?.requests).toBe(2);
  expect(await sums("key")).toEqual(before);
});

test("[G9] rows that are refused leave no sums, so that trying again counts them once", async () => {
  const rows = [row({}), row({}), { ...row({}), model: null }];
  await expect(database.insertRows("request", rows)).rejects.toThrow(/NOT NULL/);
  expect(await sums("key")).toEqual([]);
  await database.insertRows("request", rows.slice(0, 2));
  expect((await sums("key")).map(({ requests }) => requests)).toEqual([2]);
});

test("[G9] a sum keeps its known cost when a request without one follows, and stays unknown until one has it", async () => {
  const costs = [null, 5, null, 7].map((cost_nano_usd) => row({ cost_nano_usd }));
  const after: unknown[] = [];
  for (const one of costs) {
    await database.insertRows("request", [one]);
    const [sum] = await sums("key");
    after.push([sum?.cost_usd, sum?.unpriced_requests]);
  }
  expect(after).toEqual([
    [null, 1],
    [5e-9, 1],
    [5e-9, 2],
    [1.2e-8, 2],
  ]);
});

test("[G7] [G9] the cost of a row is one stored integer, read in dollars", async () => {
  await database.insertRows("request", [
    row({ cost_nano_usd: 210_000 }),
    row({ cost_nano_usd: null }),
    row({ cost_nano_usd: 0 }),
  ]);
  const rows = await database.query.selectFrom("request").select(["cost_nano_usd", "cost_usd"]).execute();
  expect(rows).toEqual([
    { cost_nano_usd: 210_000, cost_usd: 0.00021 },
    { cost_nano_usd: null, cost_usd: null },
    { cost_nano_usd: 0, cost_usd: 0 },
  ]);
});

test("[G9] a part of a day is counted from its rows, its first moment in, its last out", async () => {
  const at = [-1, 0, HOUR_MS - 1, HOUR_MS, DAY_MS, DAY_MS + HOUR_MS, 2 * DAY_MS, 2 * DAY_MS + HOUR_MS];
  await database.insertRows(
    "request",
    at.map((offset) => row({ time: MIDNIGHT + offset })),
  );
  const count = async (from: number, to: number) => {
    const rows = await usageSums(database.query, {
      by: "key",
      period: { from: MIDNIGHT + from, to: MIDNIGHT + to },
      sort: undefined,
      after: undefined,
      identities: [],
      limit: 9,
    });
    return rows[0]?.requests ?? 0;
  };
  const edges = [-DAY_MS, -1, 0, 1, HOUR_MS, HOUR_MS + 1, DAY_MS, DAY_MS + 1, 2 * DAY_MS, 3 * DAY_MS];
  for (const from of edges)
    for (const to of edges.filter((edge) => edge > from))
      expect(await count(from, to), `${from}..${to}`).toBe(
        at.filter((time) => time >= from && time < to).length,
      );
});

test("[G9] a day whose rows are gone is named when a part of it is asked for, and only then", async () => {
  await database.insertRows("request", [row({ time: MIDNIGHT }), row({ time: MIDNIGHT + HOUR_MS })]);
  const part = { from: MIDNIGHT + 1, to: MIDNIGHT + DAY_MS };
  expect(await incompleteDays(database.query, part)).toEqual([]);
  await database.transaction((query) => sumNewRows(query, { rows: 10, minutesFrom: 0 }));
  await database.query.deleteFrom("request").where("time", "=", MIDNIGHT).execute();
  expect(await incompleteDays(database.query, part)).toEqual([dayOf(MIDNIGHT)]);
  expect(await incompleteDays(database.query, { from: MIDNIGHT, to: MIDNIGHT + DAY_MS })).toEqual([]);
});

test("[G9] costs beyond exact numbers are summed without an error", async () => {
  const cost_nano_usd = Number.MAX_SAFE_INTEGER;
  await database.insertRows(
    "request",
    Array.from({ length: 1100 }, () => row({ cost_nano_usd })),
  );
  const [sum] = await sums("key");
  expect(sum?.cost_usd).toBeCloseTo((1100 * cost_nano_usd) / 1e9, -3);
});

test("[G9] [N12] a store of before takes its rows into the sums", async () => {
  await database.close();
  rmSync(dataDir, { recursive: true });
  database = await openSqlite({ dataDir, clock: new FakeClock(), migrations: MIGRATIONS.slice(0, 1) });
  const { cost_nano_usd: _cost, estimated: _estimated, ...old } = row({ principal: "key_a" });
  await database.insertRows("request", [
    { ...old, cost_usd: 0.25 },
    { ...old, cost_usd: null, provider: null },
  ]);
  await database.close();
  database = await openSqlite({ dataDir, clock: new FakeClock() });
  await database.insertRows("request", [row({ principal: "key_a", cost_nano_usd: 250_000_000 })]);
  expect(await sums("key")).toEqual([
    {
      name: "key_a",
      requests: 3,
      input_tokens: 30,
      output_tokens: 15,
      cost_usd: 0.5,
      estimated_requests: 0,
      unpriced_requests: 1,
    },
  ]);
  const kept = await sql<{ cost_usd: number }>`SELECT cost_usd FROM request ORDER BY seq`.execute(
    database.query,
  );
  expect(kept.rows.map(({ cost_usd }) => cost_usd)).toEqual([0.25, null, 0.25]);
});

async function sums(by: "key" | "model" | "provider" | "day") {
  const wanted = { by, period: ALL, sort: undefined, after: undefined, limit: 100, identities: [] };
  return (await usageSums(database.query, wanted)).map(({ place: _, ...sum }) => sum);
}
