import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { keyRow } from "#test/key-row.ts";
import { readAs, serveRoutes } from "#test/serve-routes.ts";
import { listPrincipalsRoute } from "./list-principals.ts";

const page = z.object({ data: z.array(z.object({ id: z.string() }).loose()), next_cursor: z.null() });
const IDENTITIES = [
  { id: "till-1", name: "Night-till" },
  { id: "report-2", name: "report" },
];
let parts: AsyncDisposableStack;
let database: Database;
let url: string;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-principals-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = new FakeClock(0);
  database = parts.use(await openSqlite({ dataDir, clock }));
  url = await serveRoutes(parts, clock, (api) =>
    listPrincipalsRoute(api, { database, identities: () => IDENTITIES }),
  );
});
afterEach(() => parts.disposeAsync());

const call = (query: string, set = "viewer") => readAs(set, `${url}/api/v1/requests/principals?${query}`);
const found = async (query: string) => page.parse(await (await call(query)).json()).data.map(({ id }) => id);

test("[H4] whose requests can be asked for is found by a part of the name in whichever case, or by the whole id", async () => {
  await database.insertRows("api_key", [
    keyRow({ id: "key_old", name: "night-report", created_at: 1, revoked_at: 5 }),
    keyRow({ id: "key_new", name: "night-report", created_at: 2 }),
    keyRow({ id: "key_other", name: "NIGHT", created_at: 3 }),
    keyRow({ id: "key_odd", name: "100%_done", created_at: 4 }),
  ]);
  expect(await found("")).toEqual(["till-1", "report-2", "key_odd", "key_other", "key_new", "key_old"]);
  expect(await found("search=night")).toEqual(["till-1", "key_other", "key_new", "key_old"]);
  expect(await found("search=night-report")).toEqual(["key_new", "key_old"]);
  expect(await found("search=NIGHT")).toEqual(["key_other", "till-1", "key_new", "key_old"]);
  expect(await found("search=key_old")).toEqual(["key_old"]);
  expect(await found("search=report-2")).toEqual(["report-2"]);
  expect(await found("search=%25_")).toEqual(["key_odd"]);
  expect(await found("search=nobody")).toEqual([]);
  expect(await found("search=night&limit=2")).toEqual(["till-1", "key_other"]);
  const told = await (await call("search=key_old")).json();
  const row = { id: "key_old", name: "night-report", kind: "key", revoked: true };
  expect(told).toEqual({ data: [row], next_cursor: null });
});

test("[H4] the oldest of very many keys is found, and no more are answered than asked for", async () => {
  const many = Array.from({ length: 45_000 }, (_, at) => keyRow({ id: `key_${at}`, name: `program-${at}` }));
  for (let at = 0; at < many.length; at += 1000)
    await database.insertRows("api_key", many.slice(at, at + 1000));
  await database.insertRows("api_key", [keyRow({ id: "key_first", name: "needle", created_at: -1 })]);
  expect(await found("search=needl")).toEqual(["key_first"]);
  expect(await found("search=program&limit=100")).toHaveLength(100);
});

test.each([
  ["limit=101", /limit/],
  ["limit=0", /limit/],
  ["colour=red", /colour/],
  [`search=${"x".repeat(257)}`, /search/],
])("[H4] %s is a 400 that says what to do", async (query, text) => {
  const answer = await call(query);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(text)]);
});

test("[H4] who may not read requests learns no names", async () => {
  for (const set of ["gateway", "member"]) expect((await call("", set)).status).toBe(403);
});
