import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import { openSqlite, type SqliteOptions } from "./sqlite.ts";

const VALUE = "x".repeat(4000);
let dataDir: string;
let file: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-room-"));
  file = join(dataDir, "db", "data.sqlite");
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const open = (more: Partial<SqliteOptions> = {}) => openSqlite({ dataDir, clock: new FakeClock(), ...more });
const facts = Array.from({ length: 1000 }, (_, at) => ({ name: `fact-${at}`, value: VALUE }));
/** Fills the store and empties it again; gives how many steps it took to give the room back. */
async function fillAndEmpty(): Promise<number> {
  await using database = await open();
  await database.insertRows("meta", facts);
  await database.query.deleteFrom("meta").where("name", "like", "fact-%").execute();
  let steps = 0;
  while (await database.shrink()) steps += 1;
  return steps;
}

test("what was deleted is given back to the disk, a few pages at a time; a little stays for the next rows", async () => {
  expect(await fillAndEmpty()).toBeGreaterThan(10);
  const { size } = statSync(file);
  expect(size).toBeLessThan(2 * 1024 * 1024);
  expect(size).toBeGreaterThan(1024 * 1024);
});

test("a store from before files could shrink is rewritten at the next start, with all that is in it", async () => {
  await (await open()).close();
  const before = new DatabaseSync(file);
  before.exec("PRAGMA auto_vacuum = NONE; VACUUM; INSERT INTO meta VALUES ('kept', 'yes')");
  before.close();
  expect(await fillAndEmpty()).toBeGreaterThan(10);
  await using database = await open();
  const row = await database.query
    .selectFrom("meta")
    .selectAll()
    .where("name", "=", "kept")
    .executeTakeFirst();
  expect(row?.value).toBe("yes");
});

test("where there is no room for that, it serves as it is", async () => {
  await (await open()).close();
  const before = new DatabaseSync(file);
  before.exec("PRAGMA auto_vacuum = NONE; VACUUM");
  before.close();
  await using database = await open({ filesystem: () => ({ type: 0, freeBytes: 1000 }) });
  await database.insertRows("meta", [{ name: "kept", value: "yes" }]);
  expect(await database.shrink()).toBe(false);
});

test("a transaction that finds the disk full runs again where room was made, and otherwise says so", async () => {
  const made: number[] = [];
  let gives = true;
  const makeRoom = (times: number) => {
    if (gives) made.push(times);
    return gives;
  };
  await using database = await open({ makeRoom });
  const pages = await sql<{ page_count: number }>`PRAGMA page_count`.execute(database.query);
  await sql.raw(`PRAGMA max_page_count = ${pages.rows[0]?.page_count}`).execute(database.query);
  const write = (grow: boolean) =>
    database.transaction(async (query) => {
      if (grow && made.length > 0) await sql`PRAGMA max_page_count = 100000`.execute(query);
      for (const fact of facts.slice(0, 100)) await query.insertInto("meta").values(fact).execute();
    });
  await expect(write(false)).rejects.toMatchObject({ code: "storage_full" });
  expect(made).toEqual([0, 1, 2]);
  gives = false;
  await expect(write(false)).rejects.toMatchObject({ code: "storage_full" });
  gives = true;
  made.length = 0;
  await write(true);
  expect(made).toEqual([0]);
  const { count } = await database.query
    .selectFrom("meta")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("name", "like", "fact-%")
    .executeTakeFirstOrThrow();
  expect(count).toBe(100);
});
