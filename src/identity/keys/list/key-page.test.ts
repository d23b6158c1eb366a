import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompiledQuery, type KyselyPlugin } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sortedPage, sortOf } from "#platform/lib/sorted-page.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { generateApiKey } from "../api-key.ts";
import { type KeyQuestion, pageOfKeys } from "./key-page.ts";
import { KEY_SORTS, KEY_STATES, type KeySort, type KeyState } from "./store.ts";

const random = seededRandom(5);
const NOW = 1_000_000;
const KEYS = 6000;
const all = new AsyncDisposableStack();
let database: Database;

/** Many of the same time, some without one, capitals in some names; every fourth of another state. */
const rows = Array.from({ length: KEYS }, (_, number) => ({
  id: `key_${generateApiKey(random).id}`,
  name: `${number % 2 === 0 ? "App" : "app"}-${(number * 7919) % KEYS}`,
  digest: Buffer.from(random.bytes(32)),
  last4: "",
  permissions: "[]",
  limits: "{}",
  created_at: number >> 6,
  last_used_at: number % 3 === 0 ? null : (number * 31) % 500,
  expires_at: number % 8 === 1 ? NOW - (number % 50) : number % 8 === 2 ? NOW + 1 + number : null,
  revoked_at: number % 1000 === 0 ? 7 : null,
  replaced_by: number % 8 === 3 ? "key_next" : null,
}));
type Row = (typeof rows)[0];

beforeAll(async () => {
  const directory = all.use(mkdtempDisposableSync(join(tmpdir(), "claviger-key-page-")));
  database = all.use(await openSqlite({ dataDir: directory.path, clock: new FakeClock() }));
  await database.insertRows("api_key", rows);
});
afterAll(() => all.disposeAsync());

function stateOf(row: Row): KeyState {
  if (row.revoked_at !== null) return "revoked";
  if (row.expires_at !== null && row.expires_at <= NOW) return "expired";
  return row.replaced_by === null ? "in_force" : "replaced";
}

const page = (question: KeyQuestion, visible: (key: { name: string }) => boolean = () => true) =>
  pageOfKeys(database.query, { question, nowMs: NOW, visible });

/** All pages, one after another. */
async function walk(question: KeyQuestion, visible?: (key: { name: string }) => boolean): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { keys, nextCursor } = await page({ ...question, cursor }, visible);
    ids.push(...keys.map(({ id }) => id));
    if (nextCursor === null) return ids;
    expect(keys).toHaveLength(question.limit);
    cursor = nextCursor;
  }
}

/** What the whole list would be; of keys with one value the ids go the same way as the values. */
function expected(sort: KeySort, fits: (row: Row) => boolean): string[] {
  const { column, isDescending } = sortOf(sort);
  const up = rows
    .filter(fits)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((row, place) => ({ row, place: String(isDescending ? KEYS - place : place).padStart(6, "0") }));
  const columns = {
    value: ({ row }: (typeof up)[0]) => (column === "name" ? row.name.toLowerCase() : row[column]),
    id: ({ place }: (typeof up)[0]) => place,
  };
  const asked = { sort: isDescending ? "-value" : "value", limit: KEYS } as const;
  return sortedPage(up, asked, columns).data.map(({ row }) => row.id);
}

test.each(
  KEY_SORTS,
)("[D2] [H3] pages by %s go through every key once, those without a value last", async (sort) => {
  expect(await walk({ sort, limit: 999 })).toEqual(expected(sort, () => true));
});

test.each(KEY_STATES)("[D2] [H3] keys that are %s are found in every order, however few", async (state) => {
  for (const sort of KEY_SORTS)
    expect(await walk({ sort, state, limit: 400 })).toEqual(expected(sort, (row) => stateOf(row) === state));
});

test("[D2] [H3] a search finds parts of names and ids in whichever case, and how a key's text begins", async () => {
  const [row] = rows.slice(4321);
  if (row === undefined) throw new Error("no such row");
  const publicId = row.id.slice(4);
  for (const search of [publicId, publicId.toUpperCase(), row.id, `sk-claviger-${publicId.slice(0, 9)}`])
    expect((await page({ search, limit: 10 })).keys.map(({ id }) => id)).toEqual([row.id]);
  for (const search of ["APP-77", "p-77"])
    expect(await walk({ search, sort: "name", limit: 20 })).toEqual(
      expected("name", ({ name }) => name.toLowerCase().includes("p-77")),
    );
  expect((await page({ search: "app-77%", limit: 10 })).keys).toEqual([]);
  expect((await page({ search: "nobody", limit: 10 })).keys).toEqual([]);
});

test("[I15] pages are full where few keys are visible, sorted and filtered too", async () => {
  const visible = ({ name }: { name: string }) => name.endsWith("77");
  for (const sort of KEY_SORTS)
    expect(await walk({ sort, state: "in_force", limit: 7 }, visible)).toEqual(
      expected(sort, (row) => stateOf(row) === "in_force" && visible(row)),
    );
});

/** What the statements of `work` were, each with the plan that the store has for it. */
async function plansOf(work: (query: Query) => Promise<unknown>): Promise<{ sql: string; plan: string }[]> {
  const statements: CompiledQuery[] = [];
  const watch: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      statements.push(database.query.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await work(database.query.withPlugin(watch));
  return Promise.all(
    statements.map(async ({ sql, parameters }) => {
      const explain = CompiledQuery.raw(`EXPLAIN QUERY PLAN ${sql}`, [...parameters]);
      const { rows } = await database.query.executeQuery<{ detail: string }>(explain);
      return { sql, plan: rows.map(({ detail }) => detail).join("; ") };
    }),
  );
}

test.each(
  KEY_SORTS,
)("[D2] a page by %s comes out of an index, wherever it is, and looks at no other key", async (sort) => {
  const [{ nextCursor: first }, { nextCursor: late }] = [
    await page({ sort, limit: 5 }),
    await page({ sort, limit: KEYS - 100 }),
  ];
  for (const cursor of [undefined, first ?? undefined, late ?? undefined]) {
    const question = { sort, limit: 5, cursor };
    const plans = await plansOf((query) => pageOfKeys(query, { question, nowMs: NOW, visible: () => true }));
    expect(plans).toHaveLength(1);
    for (const { sql, plan } of plans) {
      expect(plan).toMatch(
        cursor === undefined && plan.startsWith("SCAN")
          ? /^SCAN api_key USING INDEX api_key_\w+$/
          : /^SEARCH api_key USING INDEX api_key_\w+ \([^;]*\)$/,
      );
      expect(sql).toMatch(/LIMIT \?$/);
    }
  }
});

test("[D2] a search reads some thousand keys with a statement, so that others wait for no more", async () => {
  const question = { search: "nobody", sort: "name", limit: 10 } as const;
  const plans = await plansOf((query) => pageOfKeys(query, { question, nowMs: NOW, visible: () => true }));
  const [ahead, found] = [plans.filter((_, at) => at % 2 === 0), plans.filter((_, at) => at % 2 === 1)];
  expect([ahead.length, found.length]).toEqual([2, 2]);
  for (const { plan } of ahead) expect(plan).toMatch(/^(SCAN|SEARCH) api_key USING INDEX api_key_by_name/);
  // All but the last end where the index was found to have had 5000 keys.
  for (const { sql } of found.slice(0, -1)) expect(sql).toContain('("lower_name", id) <= (?, ?)');
});
