import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { keyRow } from "#test/key-row.ts";
import { requestRow } from "#test/request-row.ts";
import { readAs, serveRoutes } from "#test/serve-routes.ts";
import { sumNewRows } from "../../sums/store.ts";
import { usageRoute } from "./get-usage.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const page = z.object({
  data: z.array(z.record(z.string(), z.unknown())),
  next_cursor: z.string().nullable(),
});
let parts: AsyncDisposableStack;
let database: Database;
let url: string;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-usage-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = new FakeClock(NOON);
  database = parts.use(await openSqlite({ dataDir, clock }));
  const identities = () => [{ id: "key_b", name: "the till" }];
  const register = (api: Api) => usageRoute(api, { database, clock, flush: async () => {}, identities });
  url = `${await serveRoutes(parts, clock, register)}/api/v1/usage`;
  await database.insertRows("request", [
    row({ principal: "key_c", model: "m2", time: NOON - 86_400_000 }),
    row({ principal: "key_a", model: "m1" }),
    row({ principal: "key_b", model: "m2", provider: null, cost_nano_usd: null }),
  ]);
});
afterEach(() => parts.disposeAsync());

const SUM = { requests: 1, input_tokens: 10, output_tokens: 5, estimated_requests: 0 };
const PRICED = { ...SUM, cost_usd: 0.001, unpriced_requests: 0 };
const UNPRICED = { ...SUM, cost_usd: null, unpriced_requests: 1 };

test("[H8] [G9] a viewer reads usage by key, model, provider and day", async () => {
  expect(await read("by=key")).toEqual([
    { key: "key_a", name: null, ...PRICED },
    { key: "key_b", name: "the till", ...UNPRICED },
    { key: "key_c", name: null, ...PRICED },
  ]);
  const mixed = { requests: 2, input_tokens: 20, output_tokens: 10, estimated_requests: 0 };
  const partly = { ...mixed, cost_usd: 0.001, unpriced_requests: 1 };
  expect(await read("by=model")).toEqual([
    { model: "m1", ...PRICED },
    { model: "m2", ...partly },
  ]);
  expect(await read("by=provider")).toEqual([
    { provider: null, ...UNPRICED },
    { provider: "openai", ...mixed, cost_usd: 0.002, unpriced_requests: 0 },
  ]);
  const days = [
    { day: "2026-11-20", ...PRICED },
    { day: "2026-11-21", ...partly },
  ];
  expect(await read("by=day")).toEqual(days);
  expect(await read("")).toEqual(days);
});

test("[H8] from is part of the period, to is not", async () => {
  expect(await read("from=2026-11-21")).toHaveLength(1);
  expect(await read("to=2026-11-21")).toHaveLength(1);
  expect(await read("from=2026-11-21T12:00:00Z&to=2026-11-21T12:00:00.001Z&by=key")).toHaveLength(2);
  expect(await read("from=2026-11-21T12:00:00.001Z")).toEqual([]);
});

test("[H8] pages of one row show every row once, and the last has no cursor", async () => {
  for (const by of ["key", "model", "provider", "day"]) {
    const whole = await read(`by=${by}`);
    expect(await readSingly(`by=${by}`), by).toEqual(whole);
    for (const sort of ["name", "-name", "requests", "-requests", "cost_usd", "-cost_usd"]) {
      const sorted = await read(`by=${by}&sort=${sort}`);
      expect(new Set(sorted.map((each) => JSON.stringify(each)))).toEqual(
        new Set(whole.map((each) => JSON.stringify(each))),
      );
      expect(await readSingly(`by=${by}&sort=${sort}`), `${by} ${sort}`).toEqual(sorted);
    }
  }
});

test("[H8] sums are sorted by a figure or by their names, those whose cost is not known last whichever way", async () => {
  await database.insertRows("api_key", [
    keyRow({ id: "key_a", name: "zebra", revoked_at: 5 }),
    keyRow({ id: "key_c", name: "Ant" }),
  ]);
  const more = [
    row({ principal: "key_c", input_tokens: 1000, cost_nano_usd: 9_000_000 }),
    row({ principal: "key_a", output_tokens: 700 }),
    row({ principal: "key_a", output_tokens: 0 }),
    row({ principal: "gone", input_tokens: 11, cost_nano_usd: null }),
  ];
  for (const rows of [more, []]) {
    await database.insertRows("request", rows);
    if (rows.length === 0)
      await database.transaction((query) => sumNewRows(query, { rows: 10, minutesFrom: 0 }));
    const keys = async (sort: string) => (await read(`by=key&sort=${sort}`)).map(({ key }) => key);
    expect(await keys("name")).toEqual(["key_c", "gone", "key_b", "key_a"]);
    expect(await keys("-name")).toEqual(["key_a", "key_b", "gone", "key_c"]);
    expect(await keys("requests")).toEqual(["gone", "key_b", "key_c", "key_a"]);
    expect(await keys("-requests")).toEqual(["key_a", "key_c", "gone", "key_b"]);
    expect(await keys("-input_tokens")).toEqual(["key_c", "key_a", "gone", "key_b"]);
    expect(await keys("output_tokens")).toEqual(["gone", "key_b", "key_c", "key_a"]);
    expect(await keys("cost_usd")).toEqual(["key_a", "key_c", "gone", "key_b"]);
    expect(await keys("-cost_usd")).toEqual(["key_c", "key_a", "gone", "key_b"]);
    const days = await read("by=day&sort=-name");
    expect(days.map(({ day }) => day)).toEqual(["2026-11-21", "2026-11-20"]);
  }
});

test("[H8] a cursor of another sort, or with another sort, is a 400 that says what to do", async () => {
  const { next_cursor } = page.parse(await (await call("by=key&sort=-requests&limit=1")).json());
  expect((await call(`by=key&sort=-requests&cursor=${next_cursor}`)).status).toBe(200);
  for (const query of ["by=key", "by=key&sort=requests", "by=model&sort=-requests"]) {
    const answer = await call(`${query}&cursor=${next_cursor}`);
    expect([query, answer.status]).toEqual([query, 400]);
    expect(await answer.text()).toContain("with the sort of that request");
  }
});

test.each([
  ["by=colour", /key, model, provider, day/],
  ["from=yesterday", /from must be a date such as/],
  ["from=2026-11-21&to=2026-11-20", /from must lie before to/],
  ["sort=colour", /must be one of name, -name, requests/],
  ["cursor=abc", /give the next_cursor/],
  ["by=day&cursor=a2V5OmE", /give the next_cursor/],
  ["by=key&cursor=bW9kZWw6bTE", /give the next_cursor/],
  ["limit=0", /limit/],
  ["limit=1001", /limit/],
  ["colour=red", /colour/],
])("[H8] %s is a 400 that says what to do", async (query, text) => {
  const answer = await call(query);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(text);
});

test("[H8] a part of a day whose rows are gone is a 400 that asks for dates, not a wrong sum", async () => {
  await database.transaction((query) => sumNewRows(query, { rows: 10, minutesFrom: 0 }));
  await database.query.deleteFrom("request").where("time", "<", NOON).execute();
  const answer = await call("from=2026-11-20T01:00:00Z");
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("2026-11-20");
  expect(await read("from=2026-11-20")).toHaveLength(2);
});

test("[H8] who may not read usage is refused, and so is who presents nothing", async () => {
  expect((await call("", "gateway")).status).toBe(403);
  expect((await fetch(url)).status).toBe(401);
});

/** The same on pages of one row. */
async function readSingly(query: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: z.infer<typeof page> = page.parse(
      await (await call(`${query}&limit=1${cursor && `&cursor=${cursor}`}`)).json(),
    );
    expect(answer.data).toHaveLength(1);
    seen.push(...answer.data);
    cursor = answer.next_cursor;
  }
  return seen;
}

async function read(query: string): Promise<Record<string, unknown>[]> {
  const answer = await call(query);
  expect(answer.status).toBe(200);
  return page.parse(await answer.json()).data;
}

function call(query: string, permissionSet = "viewer"): Promise<Response> {
  return readAs(permissionSet, `${url}?${query}`);
}

function row(more: object) {
  return requestRow({ time: NOON, principal: "key_a", model: "m1", cost_nano_usd: 1_000_000, ...more });
}
