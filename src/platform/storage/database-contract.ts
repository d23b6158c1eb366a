import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "./database.ts";
import { isUniqueViolation } from "./statement-error.ts";
import { countBytes, MOST_AT_ONCE, readBytes, replaceBytes, type StoredBytes } from "./stored-bytes.ts";

const SECRET_ROW = { hint: "", origin: null, proxy: null, created_at: 0, updated_at: 0 };

/** What every database behind the port must do. `open` gives an empty store at the newest version each time. */
export function databaseContract(name: string, open: () => Promise<Database>): void {
  describe(`${name} keeps the database contract`, () => {
    let database: Database;
    beforeEach(async () => {
      database = await open();
    });
    afterEach(() => database.close());
    const current = () => database;
    transactionContract(current);
    rowsContract(current);
    constraintContract(current);
    valueContract(current);
    bytesContract(current);
    closingContract(current);
  });
}

function transactionContract(current: () => Database): void {
  it("[N2] a transaction that throws leaves nothing behind and passes its error on", async () => {
    const work = current().transaction(async (query) => {
      await query.insertInto("meta").values({ name: "half", value: "done" }).execute();
      throw new RangeError("stop");
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await metaNames(current())).toEqual([]);
  });

  it("[N2] a transaction keeps all it did and returns its result", async () => {
    const result = await current().transaction(async (query) => {
      await query.insertInto("meta").values({ name: "one", value: "1" }).execute();
      await query.insertInto("meta").values({ name: "two", value: "2" }).execute();
      return "kept";
    });
    expect(result).toBe("kept");
    expect(await metaNames(current())).toEqual(["one", "two"]);
  });

  it("[N2] concurrent transactions that read and then write lose no update", async () => {
    await current().query.insertInto("meta").values({ name: "counter", value: "0" }).execute();
    await Promise.all(Array.from({ length: 20 }, () => current().transaction(increment)));
    const row = await current().query.selectFrom("meta").select("value").executeTakeFirstOrThrow();
    expect(row.value).toBe("20");
  });

  it("[N2] a query beside an open transaction does not become part of it", async () => {
    const begun = Promise.withResolvers<void>();
    const mayFail = Promise.withResolvers<void>();
    const failing = current().transaction(async (query) => {
      await query.insertInto("meta").values({ name: "inside", value: "" }).execute();
      begun.resolve();
      await mayFail.promise;
      throw new RangeError("stop");
    });
    await begun.promise;
    const beside = current().query.insertInto("meta").values({ name: "beside", value: "" }).execute();
    const rows = current().insertRows("meta", [{ name: "rows", value: "" }]);
    mayFail.resolve();
    await expect(failing).rejects.toThrow(RangeError);
    await Promise.all([beside, rows]);
    expect(await metaNames(current())).toEqual(["beside", "rows"]);
  });
}

function rowsContract(current: () => Database): void {
  it("[N2] insertRows writes every row, with null where a row lacks a column", async () => {
    const { chain: _, ...rest } = auditRow(0);
    const rows = Array.from({ length: 700 }, (_unused, seq) => ({ ...rest, chain: "a", seq }));
    await current().insertRows("audit", [{ ...auditRow(700), target: "first" }, ...rows]);
    const found = await current()
      .query.selectFrom("audit")
      .select(["seq", "target"])
      .orderBy("seq")
      .execute();
    expect(found.length).toBe(701);
    expect(found[0]).toEqual({ seq: 0, target: null });
    expect(found[700]).toEqual({ seq: 700, target: "first" });
  });

  it("[N2] insertRows keeps whole numbers whole, and text text, in however many rows", async () => {
    const numbers = Array.from({ length: 23 }, (_unused, at) => (at === 22 ? Number.MAX_SAFE_INTEGER : at));
    const rows = numbers.map((time, seq) => ({ ...auditRow(seq), time, action: "7" }));
    await current().insertRows("audit", rows);
    const found = await current()
      .query.selectFrom("audit")
      .select(["time", "action"])
      .orderBy("seq")
      .execute();
    expect(found).toEqual(numbers.map((time) => ({ time, action: "7" })));
    const wide = current()
      .query.selectFrom("audit")
      .select(({ fn }) => fn<string>("typeof", ["time"]).as("type"));
    expect(new Set((await wide.execute()).map(({ type }) => type))).toEqual(new Set(["integer"]));
  });

  it("[N2] insertRows writes all of its rows or none", async () => {
    const rows = ["one", "two", "one"].map((name) => ({ name, value: "" }));
    const error = await rejection(current().insertRows("meta", rows));
    expect(isUniqueViolation(error)).toBe(true);
    expect(await metaNames(current())).toEqual([]);
  });

  it("insertRows refuses a later row with a column the first lacks, and takes no rows at all", async () => {
    const rows = [{ name: "one" }, { name: "two", value: "lost" }];
    await expect(current().insertRows("meta", rows)).rejects.toMatchObject({ code: "internal" });
    await current().insertRows("meta", []);
    expect(await metaNames(current())).toEqual([]);
  });
}

function bytesContract(current: () => Database): void {
  const at = { table: "named_credential", column: "sealed", key: "name" };
  const fill = (count: number) =>
    current().insertRows(
      "named_credential",
      Array.from({ length: count }, (_, index) => ({
        ...SECRET_ROW,
        name: nameOf(index),
        sealed: bytesOf(index),
      })),
    );
  const nameOf = (index: number) => `name-${String(index).padStart(4, "0")}`;
  const bytesOf = (index: number) => Buffer.from([index % 2, index >> 8, index & 255]);
  const all = async (unlessStart?: Uint8Array) => {
    const found: StoredBytes[] = [];
    for (let after: StoredBytes["key"] | undefined; ; after = found.at(-1)?.key) {
      const more = await readBytes(current().query, at, { after, limit: 100, unlessStart });
      if (more.length === 0) return found;
      found.push(...more);
    }
  };

  it("[N2] a column of bytes is read in pages, in the order of its keys, without those of a given start", async () => {
    await fill(250);
    const found = await all();
    expect(found.map(({ key }) => key)).toEqual(Array.from({ length: 250 }, (_, index) => nameOf(index)));
    expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual(found.map((_, index) => bytesOf(index)));
    const odd = await all(Buffer.from([0]));
    expect(odd.map(({ key }) => key)).toEqual(
      found.filter((_, index) => index % 2 === 1).map(({ key }) => key),
    );
    expect(await countBytes(current().query, at, undefined)).toBe(250);
    expect(await countBytes(current().query, at, Buffer.from([0]))).toBe(125);
  });

  it("[N2] bytes are replaced only where they are still what was read, and all in one step", async () => {
    await fill(MOST_AT_ONCE);
    const changes = (await all()).map(({ key, bytes }) => ({ key, from: bytes, to: Buffer.from("new") }));
    const touched = { sealed: Buffer.from("of another") };
    await current()
      .query.updateTable("named_credential")
      .set(touched)
      .where("name", "=", nameOf(7))
      .execute();
    await current().query.deleteFrom("named_credential").where("name", "=", nameOf(8)).execute();
    expect(await replaceBytes(current().query, at, changes)).toBe(MOST_AT_ONCE - 2);
    const texts = (await all()).map(({ bytes }) => Buffer.from(bytes).toString());
    expect(new Set(texts)).toEqual(new Set(["new", "of another"]));
    expect(await replaceBytes(current().query, at, changes)).toBe(0);
    expect(await replaceBytes(current().query, at, [])).toBe(0);
  });

  it("[N2] each key gets its own bytes, of whatever length, and whatever the key's text is", async () => {
    const names = ["", "it's", '"', "\\u0041", "[1]", "7", "7.0", "ä", "😀", "a\u0000b", "a"];
    const rows = names.map((name, index) => ({ ...SECRET_ROW, name, sealed: Buffer.alloc(index, index) }));
    await current().insertRows("named_credential", rows);
    const replaceAll = async (to: (index: number) => Uint8Array) => {
      const changes = rows.map(({ name, sealed }, index) => ({ key: name, from: sealed, to: to(index) }));
      const replaced = await replaceBytes(current().query, at, changes);
      const stored = new Map((await all()).map(({ key, bytes }) => [key, Buffer.from(bytes)]));
      expect(names.map((name) => stored.get(name))).toEqual(names.map((_, index) => Buffer.from(to(index))));
      return replaced;
    };
    expect(
      await replaceAll((index) => Buffer.alloc((names.length - index) % names.length, 100 + index)),
    ).toBe(names.length);
    const [first = ""] = names;
    const alone = [{ key: first, from: new Uint8Array(), to: Buffer.from("new") }];
    expect(await replaceBytes(current().query, at, alone)).toBe(1);
    expect(
      await replaceBytes(current().query, at, [
        { key: first, from: Buffer.from("new"), to: new Uint8Array() },
      ]),
    ).toBe(1);
    expect((await all()).find(({ key }) => key === first)?.bytes).toHaveLength(0);
  });

  it("[N2] what is replaced in a transaction that throws stays as it was", async () => {
    await fill(3);
    const work = current().transaction(async (query) => {
      await replaceBytes(query, at, [{ key: nameOf(1), from: bytesOf(1), to: Buffer.from("new") }]);
      throw new RangeError("stop");
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(Buffer.from((await all())[1]?.bytes ?? [])).toEqual(bytesOf(1));
  });
}

function constraintContract(current: () => Database): void {
  it("a taken name is a unique violation, in a transaction as outside; another error is not", async () => {
    const insert = () => current().query.insertInto("meta").values({ name: "n", value: "" }).execute();
    await insert();
    expect(isUniqueViolation(await rejection(insert()))).toBe(true);
    const inside = current().transaction((query) =>
      query.insertInto("meta").values({ name: "n", value: "" }).execute(),
    );
    expect(isUniqueViolation(await rejection(inside))).toBe(true);
    const nonsense = await rejection(sql`SELECT nothing FROM nowhere`.execute(current().query));
    expect(nonsense).toBeInstanceOf(Error);
    expect(isUniqueViolation(nonsense)).toBe(false);
  });

  it("a row that points at nothing is refused", async () => {
    const orphan = {
      id: "c",
      provider_id: "none",
      position: 0,
      type: "t",
      origin: "o",
      hint: "",
      created_at: 0,
    };
    const error = await rejection(
      current()
        .query.insertInto("credential")
        .values({ ...orphan, sealed: new Uint8Array(1) })
        .execute(),
    );
    expect(error).toMatchObject({ constraint: "foreign_key" });
  });

  it("audit rows can be neither changed nor deleted", async () => {
    await current().insertRows("audit", [auditRow(1)]);
    const { query } = current();
    await expect(query.updateTable("audit").set({ actor: "other" }).execute()).rejects.toThrow(/append-only/);
    await expect(query.deleteFrom("audit").execute()).rejects.toThrow(/append-only/);
    expect(await query.selectFrom("audit").select("actor").execute()).toEqual([{ actor: "local" }]);
  });
}

function valueContract(current: () => Database): void {
  it("bytes, null, unicode and integers up to 2^53-1 come back as they went in", async () => {
    const hash = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).subarray(3);
    const row = { ...auditRow(Number.MAX_SAFE_INTEGER), actor: "é𝄞 \u0000 漢", hash, target: null };
    await current().query.insertInto("audit").values(row).execute();
    const found = await current().query.selectFrom("audit").selectAll().executeTakeFirstOrThrow();
    expect({ ...found, hash: null }).toEqual({ ...row, hash: null });
    expect(found.hash).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(found.hash ?? []).equals(hash)).toBe(true);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  });

  it("a changed or deleted row is counted", async () => {
    const names = ["one", "two"].map((name) => ({ name, value: "" }));
    await current().insertRows("meta", names);
    const changed = await current().query.updateTable("meta").set({ value: "x" }).executeTakeFirstOrThrow();
    expect(changed.numUpdatedRows).toBe(2n);
    const deleted = await current()
      .query.deleteFrom("meta")
      .where("name", "=", "one")
      .executeTakeFirstOrThrow();
    expect(deleted.numDeletedRows).toBe(1n);
  });

  it("RETURNING gives the written row", async () => {
    const insert = current().query.insertInto("meta").values({ name: "n", value: "v" }).returningAll();
    expect(await insert.execute()).toEqual([{ name: "n", value: "v" }]);
  });
}

function closingContract(current: () => Database): void {
  it("closing waits for the open transaction, may be asked twice, and refuses what comes after", async () => {
    const begun = Promise.withResolvers<void>();
    const mayGoOn = Promise.withResolvers<void>();
    const open = current().transaction(async (query) => {
      begun.resolve();
      await mayGoOn.promise;
      return query.insertInto("meta").values({ name: "n", value: "" }).returningAll().execute();
    });
    await begun.promise;
    const closings = [current().close(), current().close()];
    mayGoOn.resolve();
    expect(await open).toEqual([{ name: "n", value: "" }]);
    await Promise.all(closings);
    const refused = { code: "shutting_down" };
    await expect(metaNames(current())).rejects.toMatchObject(refused);
    await expect(current().transaction(async () => "ran")).rejects.toMatchObject(refused);
    await expect(current().insertRows("meta", [{ name: "m", value: "" }])).rejects.toMatchObject(refused);
  });
}

const increment: Parameters<Database["transaction"]>[0] = async (query) => {
  const row = await query.selectFrom("meta").select("value").executeTakeFirstOrThrow();
  const value = String(Number(row.value) + 1);
  await query.updateTable("meta").set({ value }).execute();
};

function auditRow(seq: number) {
  const nothing = { target: null, address: null, request_id: null, hash: null };
  return {
    chain: "a",
    seq,
    time: 1,
    actor: "local",
    action: "x",
    outcome: "success" as const,
    count: 1,
    ...nothing,
  };
}

async function metaNames(database: Database): Promise<string[]> {
  const rows = await database.query.selectFrom("meta").select("name").orderBy("name").execute();
  return rows.map((row) => row.name);
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
