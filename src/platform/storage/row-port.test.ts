import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FakeClock } from "#test/fake-clock.ts";
import type { Database } from "./database.ts";
import { attachRowWriter, type RowWriter } from "./row-port.ts";
import { openSqlite } from "./sqlite.ts";

const row = (name: string) => ({ name, value: "" });
const rowsOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => row(`${prefix}-${String(index).padStart(3, "0")}`));

let dataDir: string;
let database: Database;
let writers: RowWriter[];
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-rows-"));
  database = await openSqlite({ dataDir, clock: new FakeClock() });
  writers = [];
});
afterEach(async () => {
  for (const writer of writers) writer.close();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** As another thread has it: past the main thread's turns. */
async function openWriter(): Promise<RowWriter> {
  const writer = attachRowWriter(await database.openRowPort());
  writers.push(writer);
  return writer;
}

async function names(): Promise<string[]> {
  const rows = await database.query.selectFrom("meta").select("name").orderBy("name").execute();
  return rows.map(({ name }) => name);
}

it.each([
  ["rolls back", true, ["theirs"]],
  ["commits", false, ["ours", "theirs"]],
])("rows of another thread wait for a transaction that %s, are no part of it, and are kept", async (_, fails, kept) => {
  const writer = await openWriter();
  let written = false;
  let theirs: Promise<void> | undefined;
  const work = database.transaction(async (query) => {
    await query.insertInto("meta").values(row("ours")).execute();
    theirs = writer.insertRows("meta", [row("theirs")]).then(() => {
      written = true;
    });
    // Each of these comes back from the storage thread, which has had the rows meanwhile.
    for (let count = 0; count < 50; count += 1)
      expect(await query.selectFrom("meta").select("name").execute()).toEqual([{ name: "ours" }]);
    expect(written).toBe(false);
    if (fails) throw new RangeError("stop");
  });
  await (fails ? expect(work).rejects.toThrow(RangeError) : work);
  await theirs;
  expect(await names()).toEqual(kept);
});

it("rows of another thread are all written or none, and the next ones are", async () => {
  const writer = await openWriter();
  const twice = ["one", "two", "one"].map(row);
  await expect(writer.insertRows("meta", twice)).rejects.toMatchObject({ code: "internal" });
  await expect(writer.insertRows("meta", [{ name: "bare" }, row("other")])).rejects.toThrow();
  await writer.insertRows("meta", []);
  expect(await names()).toEqual([]);
  await writer.insertRows("meta", [row("three")]);
  expect(await names()).toEqual(["three"]);
});

it("many threads and many transactions, half of which roll back, lose nothing of each other", async () => {
  const threads = await Promise.all([openWriter(), openWriter(), openWriter()]);
  const inserts = threads.flatMap((writer, thread) =>
    Array.from({ length: 20 }, (_, batch) => writer.insertRows("meta", rowsOf(`t${thread}-${batch}`, 10))),
  );
  const own = Array.from({ length: 40 }, (_, index) =>
    database
      .transaction(async (query) => {
        for (const one of rowsOf(`own-${index}`, 3)) await query.insertInto("meta").values(one).execute();
        if (index % 2 === 1) throw new RangeError("stop");
      })
      .catch(() => undefined),
  );
  await Promise.all([...inserts, ...own]);
  const all = await names();
  expect(all.filter((name) => name.startsWith("t"))).toHaveLength(600);
  const kept = all.filter((name) => name.startsWith("own-")).map((name) => Number(name.split("-")[1]));
  expect(kept).toHaveLength(60);
  expect(kept.every((index) => index % 2 === 0)).toBe(true);
});

it("a full store is storage_full to another thread too, and works again when there is room", async () => {
  const writer = await openWriter();
  const limit = (pages: number) => sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(database.query);
  await limit(1);
  const rows = rowsOf("x", 50).map((one) => ({ ...one, value: "x".repeat(4000) }));
  await expect(writer.insertRows("meta", rows)).rejects.toMatchObject({ code: "storage_full" });
  await limit(100_000);
  expect(await names()).toEqual([]);
  await writer.insertRows("meta", rows);
  expect(await names()).toHaveLength(50);
});
