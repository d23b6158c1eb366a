import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { keyRow } from "#test/key-row.ts";
import { requestRow } from "#test/request-row.ts";
import { readAs, serveRoutes } from "#test/serve-routes.ts";
import { sumNewRows } from "../../sums/store.ts";
import { overviewRoute } from "./get-overview.ts";
import { overviewTopRoute } from "./get-overview-top.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 10, 21, 12, 30);
const figures = z
  .object({
    requests: z.number(),
    errors: z.number(),
    input_tokens: z.number(),
    cost_usd: z.number().nullable(),
    latency_ms: z.object({
      p50: z.number().nullable(),
      p95: z.number().nullable(),
      p99: z.number().nullable(),
    }),
  })
  .loose();
const overview = z.object({
  from: z.string(),
  to: z.string(),
  step: z.string(),
  complete: z.boolean(),
  totals: figures,
  before: figures,
  series: z.array(figures.extend({ time: z.string() })),
});
const top = z.object({ from: z.string(), data: z.array(z.record(z.string(), z.unknown())) }).loose();
let parts: AsyncDisposableStack;
let database: Database;
let url: string;
let clock: FakeClock;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-overview-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  clock = new FakeClock(NOW);
  database = parts.use(await openSqlite({ dataDir, clock }));
  const common = { database, clock, flush: async () => {} };
  const identities = () => [{ id: "till", name: "the till" }];
  url = await serveRoutes(parts, clock, (api) => {
    overviewRoute(api, common);
    overviewTopRoute(api, { ...common, identities });
  });
});
afterEach(() => parts.disposeAsync());

const sum = () => database.transaction((query) => sumNewRows(query, { rows: 100_000, minutesFrom: 0 }));
const call = (query: string, set = "viewer") => readAs(set, `${url}/api/v1/overview${query}`);
const read = async (query: string) => overview.parse(await (await call(query)).json());
const readTop = async (query: string) => top.parse(await (await call(`/top?${query}`)).json()).data;
const at = (time: number, more: object = {}) => requestRow({ time, ...more });

test("[G9] with no request ever, every figure is zero or unknown, and every step is there", async () => {
  const empty = await read("");
  expect(empty).toMatchObject({
    from: "2026-11-20T12:00:00.000Z",
    to: "2026-11-21T13:00:00.000Z",
    step: "hour",
  });
  expect(empty.series).toHaveLength(25);
  const nothing = { requests: 0, errors: 0, cost_usd: null, latency_ms: { p50: null, p95: null, p99: null } };
  for (const each of [empty.totals, empty.before, ...empty.series]) expect(each).toMatchObject(nothing);
  expect(await readTop("")).toEqual([]);
});

test("[G9] steps are those of UTC, on a night of changed clocks as on any, and a day without requests is zero", async () => {
  const night = Date.UTC(2026, 9, 25);
  await database.insertRows("request", [
    at(night - 1),
    at(night),
    at(night + DAY_MS - 1),
    at(night + 2 * DAY_MS),
  ]);
  for (const isSummed of [false, true]) {
    if (isSummed) await sum();
    const { series } = await read("?from=2026-10-24&to=2026-10-28&step=day");
    expect(series.map(({ time, requests }) => [time.slice(0, 10), requests])).toEqual([
      ["2026-10-24", 1],
      ["2026-10-25", 2],
      ["2026-10-26", 0],
      ["2026-10-27", 1],
    ]);
    const hours = await read("?from=2026-10-25T00:00:00Z&to=2026-10-26T00:00:00Z&step=hour");
    expect(hours.series.map(({ requests }) => requests)).toEqual([1, ...Array(22).fill(0), 1]);
  }
});

test("[G9] rows that a clock set back gave an earlier time count where they say, summed or not", async () => {
  await database.insertRows("request", [at(NOW), at(NOW - 5 * HOUR_MS)]);
  await sum();
  await database.insertRows("request", [at(NOW - 5 * HOUR_MS), at(NOW - 3 * DAY_MS)]);
  const { totals, series } = await read("?from=2026-11-21T07:00:00Z&to=2026-11-21T13:00:00Z&step=hour");
  expect(totals.requests).toBe(3);
  expect(series.map(({ requests }) => requests)).toEqual([2, 0, 0, 0, 0, 1]);
});

test("[G9] the period is widened to whole steps, which auto chooses by its length, and compared with the one before", async () => {
  await database.insertRows("request", [
    at(NOW - 30_000, { status: 500 }),
    at(NOW - 90 * 60_000),
    at(NOW - 100 * DAY_MS),
  ]);
  const steps = async (from: number, query = "") => {
    const answer = await read(`?from=${new Date(from).toISOString()}${query}`);
    return [answer.step, answer.series.length, answer.totals.requests, answer.before.requests];
  };
  expect(await steps(NOW - HOUR_MS)).toEqual(["minute", 61, 1, 1]);
  expect(await steps(NOW - 7 * HOUR_MS)).toEqual(["hour", 8, 2, 0]);
  expect(await steps(NOW - 7 * DAY_MS + 1)).toEqual(["hour", 169, 2, 0]);
  expect(await steps(NOW - 90 * DAY_MS)).toEqual(["day", 91, 2, 1]);
  expect(await steps(NOW - 100 * DAY_MS, "&step=day")).toEqual(["day", 101, 3, 0]);
});

test("[G9] percentiles are within the bound that a request of that rank is in, and errors are told by class", async () => {
  const latencies = Array.from({ length: 100 }, (_, number) => (number + 1) * 40);
  const rows = latencies.map((latency_ms, number) =>
    at(NOW - 1000, {
      latency_ms,
      first_byte_ms: latency_ms / 10,
      status: number < 3 ? 429 : number < 5 ? 502 : 200,
    }),
  );
  await database.insertRows("request", rows);
  for (const isSummed of [false, true]) {
    if (isSummed) await sum();
    const { totals } = await read("");
    expect(totals).toMatchObject({ requests: 100, errors: 5, client_errors: 3, server_errors: 2 });
    expect(totals.latency_ms.p50).toBeGreaterThan(1500);
    expect(totals.latency_ms.p50).toBeLessThanOrEqual(2000);
    expect(totals.latency_ms.p95).toBeGreaterThan(3000);
    expect(totals.latency_ms.p99).toBeLessThanOrEqual(5000);
    expect(totals.first_byte_ms).toMatchObject({ p50: 200 });
  }
});

test("[G9] the most by each figure, with the names of keys, the revoked ones too, and of identities", async () => {
  await database.insertRows("api_key", [
    keyRow({ id: "key_a", name: "editor", revoked_at: 5 }),
    keyRow({ id: "key_b", name: "agent" }),
  ]);
  await database.insertRows("request", [
    at(NOW, { principal: "key_a", model: "m1", provider: "p1", status: 502, cost_nano_usd: 1 }),
    at(NOW, { principal: "key_b", model: "m2", provider: "p2", input_tokens: 1000, cost_nano_usd: 9e9 }),
    at(NOW, { principal: "key_b", model: "m1", provider: null, cost_nano_usd: null }),
    at(NOW, { principal: "till", model: "m1", provider: "p1", cost_nano_usd: null }),
    at(NOW, { principal: "local", model: "m1", provider: "p1" }),
  ]);
  for (const isSummed of [false, true]) {
    if (isSummed) await sum();
    for (const from of ["2026-11-21", "2026-10-01"]) {
      const period = `from=${from}`;
      const names = async (query: string) =>
        (await readTop(`${period}&${query}`)).map(({ id, name, requests }) => [id, name, requests]);
      expect(await names("by=key")).toEqual([
        ["key_b", "agent", 2],
        ["key_a", "editor", 1],
      ]);
      expect(await names("by=key&metric=errors&limit=1")).toEqual([["key_a", "editor", 1]]);
      expect(await names("by=identity")).toEqual([
        ["local", "local", 1],
        ["till", "the till", 1],
      ]);
      expect(await names("by=model&metric=tokens")).toEqual([
        ["m2", "m2", 1],
        ["m1", "m1", 4],
      ]);
      expect(await names("by=provider&metric=cost")).toEqual([
        ["p2", "p2", 1],
        ["p1", "p1", 3],
        [null, null, 1],
      ]);
    }
  }
});

test.each([
  ["?from=2026-11-21&to=2026-11-20", /from must lie before to/],
  ["?from=soon", /from must be a date such as/],
  ["?from=1970-01-01", /at most 1000/],
  ["?from=2026-09-01&step=hour", /Give a longer step/],
  ["?from=2026-11-10T00:00:00Z&to=2026-11-10T01:00:00Z&step=minute", /kept for 7 days/],
  ["?step=week", /auto, minute, hour, day/],
  ["?colour=red", /colour/],
  ["/top?by=colour", /key, model, provider, identity/],
  ["/top?metric=colour", /requests, tokens, cost, errors/],
  ["/top?from=0001-01-01&to=9999-01-01", /at most 1000/],
])("[G9] %s is a 400 that says what to do", async (query, text) => {
  const answer = await call(query);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(text)]);
});

test("[G9] who may not read usage is refused, and so is who presents nothing", async () => {
  for (const route of ["", "/top"]) {
    expect((await call(route, "gateway")).status).toBe(403);
    expect((await fetch(`${url}/api/v1/overview${route}`)).status).toBe(401);
  }
});
