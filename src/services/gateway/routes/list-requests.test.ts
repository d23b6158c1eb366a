import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { newRequestId, timeOfRequestId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { keyRow } from "#test/key-row.ts";
import { requestRow } from "#test/request-row.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { readAs, serveRoutes } from "#test/serve-routes.ts";
import { sumNewRows } from "../sums/store.ts";
import { listRequestsRoute } from "./list-requests.ts";

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);
const page = z.object({
  data: z.array(z.object({ request_id: z.string() }).loose()),
  next_cursor: z.string().nullable(),
});
let parts: AsyncDisposableStack;
let dataDir: string;
let database: Database;
let url: string;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  dataDir = mkdtempSync(path.join(tmpdir(), "claviger-requests-"));
  parts.defer(() => rmSync(dataDir, { recursive: true, force: true }));
});
afterEach(() => parts.disposeAsync());

/** A store of before the rows had an index takes the first rows, and is upgraded. */
async function serve(old: readonly ReturnType<typeof rowOf>[] = []): Promise<void> {
  const clock = new FakeClock(NOON);
  if (old.length > 0) {
    await using before = await openSqlite({ dataDir, clock, migrations: MIGRATIONS.slice(0, 14) });
    await before.insertRows("request", old);
  }
  database = parts.use(await openSqlite({ dataDir, clock }));
  const identities = () => [{ id: "till-1", name: "the till" }];
  url = await serveRoutes(parts, clock, (api) =>
    listRequestsRoute(api, { database, flush: async () => {}, identities }),
  );
}

const sum = () => database.transaction((query) => sumNewRows(query, { rows: 100_000, minutesFrom: 0 }));
const call = (query: string, set = "viewer") => readAs(set, `${url}/api/v1/requests?${query}`);
const read = async (query: string) => page.parse(await (await call(query)).json());

/** Every page, of so many rows each; `between` is done before each further one. */
async function readAll(query: string, limit: number, between: () => Promise<void> = async () => {}) {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: z.infer<typeof page> = await read(
      `${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`,
    );
    ids.push(...answer.data.map(({ request_id }) => request_id));
    cursor = answer.next_cursor;
    await between();
  }
  return ids;
}

function rowOf(number: number, random = seededRandom(number + 1)) {
  const below = (most: number) => random.bytes(4).readUInt32LE() % most;
  return requestRow({
    time: NOON - below(1000) * HOUR_MS - below(2) * 1000,
    request_id: `req_${number}`,
    principal: `key_${below(3)}`,
    provider: below(4) === 0 ? null : `provider-${below(2)}`,
    model: `model-${below(3)}`,
    status: [200, 200, 201, 404, 429, 500][below(6)] ?? 200,
  });
}

test("[H4] every filter gives the rows that fit, newest first or oldest first, on pages that hold each once: indexed, new and old ones", async () => {
  const rows = Array.from({ length: 240 }, (_, number) => rowOf(number));
  await serve(rows.slice(0, 80));
  await database.insertRows("request", rows.slice(80, 160));
  await sum();
  await database.insertRows("request", rows.slice(160));
  const from = NOON - 500 * HOUR_MS;
  const filters: readonly [query: string, fits: (row: (typeof rows)[number]) => boolean][] = [
    ["", () => true],
    ["principal=key_1", ({ principal }) => principal === "key_1"],
    ["provider=provider-1", ({ provider }) => provider === "provider-1"],
    ["model=model-2", ({ model }) => model === "model-2"],
    ["status=429", ({ status }) => status === 429],
    ["status=4xx", ({ status }) => status >= 400 && status < 500],
    ["status=2xx", ({ status }) => status < 300],
    ["status=200&principal=key_0", ({ status, principal }) => status === 200 && principal === "key_0"],
    ["request_id=req_7", ({ request_id }) => request_id === "req_7"],
    ["request_id=req_170&principal=none", () => false],
    [
      "principal=key_2&model=model-1&status=5xx",
      ({ principal, model, status }) => principal === "key_2" && model === "model-1" && status === 500,
    ],
    [
      `from=${new Date(from).toISOString()}&model=model-0`,
      ({ time, model }) => time >= from && model === "model-0",
    ],
    [`to=${new Date(from).toISOString()}`, ({ time }) => time < from],
  ];
  for (const [query, fits] of filters) {
    const numbered = rows.map((row, seq) => ({ ...row, seq })).filter(fits);
    const wanted = numbered.sort((one, other) => other.time - one.time || other.seq - one.seq);
    const ids = wanted.map(({ request_id }) => request_id);
    expect(await readAll(query, 17), query).toEqual(ids);
    expect(await readAll(`${query}&order=oldest`, 17), `${query}, oldest first`).toEqual(ids.toReversed());
  }
});

test("[H4] an id that tells its time leads to its row, summed or not, and to those of clients that sent it again", async () => {
  await serve();
  const own = newRequestId(NOON, systemRandom);
  const others = Array.from({ length: 3 }, () => newRequestId(NOON, systemRandom));
  const row = (time: number, request_id: string) =>
    requestRow({ time, request_id, id_tells_time: timeOfRequestId(request_id) === time ? 1 : 0 });
  const sent = [row(NOON, own), row(NOON - 9 * HOUR_MS, own), row(NOON + 5, own)];
  await database.insertRows("request", [...sent, ...others.map((id) => row(NOON, id))]);
  const times = async (query: string) => {
    const { data } = z.object({ data: z.array(z.object({ time: z.string() })) }).parse(await read(query));
    return data.map(({ time }) => Date.parse(time) - NOON);
  };
  for (const _summed of [false, true]) {
    expect(await times(`request_id=${own}`)).toEqual([5, 0, -9 * HOUR_MS]);
    expect(await readAll(`request_id=${own}&order=oldest`, 1)).toEqual([own, own, own]);
    expect(await times(`request_id=${others[1]}`)).toEqual([0]);
    expect(await times(`request_id=${others[1]}&principal=key_x`)).toEqual([]);
    expect(await times(`request_id=${newRequestId(NOON, systemRandom)}`)).toEqual([]);
    await sum();
  }
  const { rows } = await sql<{
    value: string;
    seq: number;
  }>`SELECT value, seq FROM request_index WHERE kind = 5`.execute(database.query);
  expect(rows.map(({ seq }) => seq).toSorted()).toEqual([2, 3]);
});

test("[H4] pages stay what they are while rows come in and are summed", async () => {
  await serve();
  const rows = Array.from({ length: 60 }, (_, number) =>
    requestRow({ time: NOON - number, request_id: `req_${number}` }),
  );
  await database.insertRows("request", rows);
  let more = 0;
  const between = async () => {
    more += 1;
    await database.insertRows("request", [requestRow({ time: NOON + more, request_id: "req_new" })]);
    if (more % 2 === 0) await sum();
  };
  const ids = rows.map(({ request_id }) => request_id);
  const isOld = (id: string) => id !== "req_new";
  for (const query of ["", "principal=key_z"]) {
    expect((await readAll(query, 7, between)).filter(isOld)).toEqual(ids);
    expect((await readAll(`${query}&order=oldest`, 7, between)).filter(isOld)).toEqual(ids.toReversed());
  }
});

test("[H4] each row has the name of its key, a revoked one's too, or of its identity, and none where it is not known", async () => {
  await serve();
  await database.insertRows("api_key", [
    keyRow({ id: "key_a", name: "editor", revoked_at: 5 }),
    keyRow({ id: "key_b", name: "editor" }),
  ]);
  await database.insertRows(
    "request",
    ["key_a", "key_b", "till-1", "gone"].map((principal, at) => requestRow({ principal, time: NOON - at })),
  );
  expect((await read("")).data).toMatchObject([
    { principal: "key_a", principal_name: "editor" },
    { principal: "key_b", principal_name: "editor" },
    { principal: "till-1", principal_name: "the till" },
    { principal: "gone", principal_name: null },
  ]);
});

test("[H4] a cursor that was changed, of another filter or made up is a 400 that says what to do", async () => {
  await serve();
  await database.insertRows(
    "request",
    [0, 1, 2].map((number) => requestRow({ time: NOON + number })),
  );
  const { next_cursor } = await read("limit=1&model=m");
  const cursor = next_cursor ?? "";
  expect((await read(`limit=1&model=m&cursor=${cursor}`)).data).toHaveLength(1);
  const text = Buffer.from(cursor, "base64url").toString();
  const changed = Buffer.from(text.replace(/^\d/, "9")).toString("base64url");
  const wrong = [
    "",
    "abc",
    "0-0",
    changed,
    `${cursor}A`,
    cursor.slice(1),
    Buffer.from("1.2").toString("base64url"),
  ];
  for (const query of [
    ...wrong.map((each) => `model=m&cursor=${each}`),
    `cursor=${cursor}`,
    `principal=m&cursor=${cursor}`,
    `model=m&order=oldest&cursor=${cursor}`,
  ]) {
    const answer = await call(query);
    expect([query, answer.status, await answer.text()]).toEqual([
      query,
      400,
      expect.stringContaining("next_cursor"),
    ]);
  }
});

test.each([
  ["status=6xx", /status such as 429/],
  ["status=40", /status such as 429/],
  ["from=2026-11-21&to=2026-11-20", /from must lie before to/],
  ["to=soon", /to must be a date such as/],
  ["order=random", /order/],
  ["limit=1001", /limit/],
  ["colour=red", /colour/],
])("[H4] %s is a 400 that says what to do", async (query, text) => {
  await serve();
  const answer = await call(query);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(text)]);
});

test("[H4] who may not read requests is refused", async () => {
  await serve();
  expect((await call("", "gateway")).status).toBe(403);
});
