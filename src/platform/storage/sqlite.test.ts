import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { StartError } from "#platform/lib/error.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { databaseContract } from "./database-contract.ts";
import { lockHolder } from "./directory-lock.ts";
import { networkFilesystem, probeFilesystem } from "./filesystem.ts";
import { MIGRATIONS, withChecksums } from "./migrate.ts";
import { openOn, openSqlite, SqliteDatabase, type SqliteOptions } from "./sqlite.ts";
import { SqliteClient } from "./sqlite-client.ts";
import { startStorageThread } from "./storage-thread.ts";

const clock = new FakeClock();
let dataDir: string;
let file: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "claviger-storage-"));
  file = join(dataDir, "db", "data.sqlite");
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const open = (more: Partial<SqliteOptions> = {}) => openSqlite({ dataDir, clock, ...more });
const openAndClose = async (more: Partial<SqliteOptions> = {}) => (await open(more)).close();
const NEXT = [
  ...MIGRATIONS,
  { number: MIGRATIONS.length + 1, name: "next", sql: "CREATE TABLE next (id INTEGER);" },
];

/** The text of the StartError with which opening is refused. */
async function refusal(more: Partial<SqliteOptions> = {}): Promise<string> {
  const error: unknown = await openAndClose(more).catch((caught: unknown) => caught);
  if (!(error instanceof StartError)) throw new Error(`not refused: ${String(error)}`);
  return error.message;
}

databaseContract("SQLite", open);

describe("the store on disk", () => {
  it("[N2] is db/data.sqlite in WAL, in files of mode 0600 in a directory of mode 0700", async () => {
    await using database = await open();
    const mode = await sql<{ journal_mode: string }>`PRAGMA journal_mode`.execute(database.query);
    expect(mode.rows).toEqual([{ journal_mode: "wal" }]);
    await database.insertRows("meta", [{ name: "n", value: "v" }]);
    expect(statSync(join(dataDir, "db")).mode & 0o777).toBe(0o700);
    const names = readdirSync(join(dataDir, "db"));
    expect(names).toEqual(expect.arrayContaining(["data.sqlite", "data.sqlite-wal", "lock.sqlite"]));
    for (const name of names) expect(statSync(join(dataDir, "db", name)).mode & 0o777).toBe(0o600);
  });

  it("[N2] keeps its rows over a restart and leaves no write-ahead log behind", async () => {
    const first = await open();
    await first.insertRows("meta", [{ name: "n", value: "v" }]);
    await first.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    await using second = await open();
    expect(await second.query.selectFrom("meta").selectAll().execute()).toEqual([{ name: "n", value: "v" }]);
  });

  it("whole numbers are bound as integers and fractions as floats", async () => {
    await using database = await open();
    const types = sql`SELECT typeof(${7}) AS whole, typeof(${7.5}) AS fraction`;
    expect((await types.execute(database.query)).rows).toEqual([{ whole: "integer", fraction: "real" }]);
  });

  it("a full store answers storage_full, changes nothing and works again when there is room", async () => {
    await using database = await open();
    const limit = (pages: number) => sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(database.query);
    await limit(1);
    const rows = Array.from({ length: 50 }, (_, index) => ({ name: `n${index}`, value: "x".repeat(4000) }));
    await expect(database.insertRows("meta", rows)).rejects.toMatchObject({ code: "storage_full" });
    const work = database.transaction((query) => query.insertInto("meta").values(rows).execute());
    await expect(work).rejects.toMatchObject({ code: "storage_full" });
    await limit(100_000);
    expect(await database.query.selectFrom("meta").selectAll().execute()).toEqual([]);
    await database.insertRows("meta", rows);
  });

  it("when the thread dies, pending and later calls are refused as internal", async () => {
    const migrations = await withChecksums(MIGRATIONS);
    const worker = openOn(startStorageThread(), { dataDir, migrations, freeBytes: 0, nowMs: 0 });
    const client = new SqliteClient(worker);
    await client.started();
    const database = new SqliteDatabase(client);
    const begun = Promise.withResolvers<void>();
    const pending = database.transaction(async (query) => {
      begun.resolve();
      await worker.terminate();
      await query.selectFrom("meta").selectAll().execute();
    });
    await begun.promise;
    const internal = { code: "internal", detail: expect.stringMatching(/storage thread ended/) };
    await expect(Promise.all([client.send({ op: "begin" }), pending])).rejects.toMatchObject(internal);
    await expect(pending).rejects.toMatchObject(internal);
    await expect(database.insertRows("meta", [{ name: "n", value: "" }])).rejects.toMatchObject(internal);
  });
});

describe("one process at a time", () => {
  it("[N9] a second process is refused within 2 s with the holder's pid, and kill -9 frees the directory", async () => {
    const program = join(dataDir, "holder.mjs");
    writeFileSync(program, holderProgram());
    const holder = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void holder.kill("SIGKILL"));
    const gone = once(holder, "exit");
    const [held] = await Promise.race([once(holder.stdout, "data"), gone]);
    expect(String(held)).toBe("held");
    const started = performance.now();
    expect(await refusal()).toContain(`pid ${holder.pid}`);
    expect(performance.now() - started).toBeLessThan(2000);
    holder.kill("SIGKILL");
    await gone;
    await openAndClose();
  });

  it("[N9] a second opening in the same process is refused, and the first still holds", async () => {
    await using first = await open();
    expect(await refusal()).toContain(`pid ${process.pid}`);
    expect(await refusal()).toContain("is using this data directory");
    await first.insertRows("meta", [{ name: "n", value: "v" }]);
  });

  it("[N9] the holder is read from the lock table of the kernel", () => {
    const table = "1: FLOCK  ADVISORY  WRITE 7 08:01:42 0 EOF\n2: POSIX  ADVISORY  READ 8 08:01:42 0 1\n";
    expect(lockHolder(`${table}3: POSIX  ADVISORY  WRITE 9 08:01:42 1073741824 1073742335\n`, 42)).toBe(9);
    expect(
      lockHolder(`${table}3: POSIX  ADVISORY  WRITE 0 08:01:42 1073741824 1073742335\n`, 42),
    ).toBeUndefined();
    expect(lockHolder(table, 42)).toBeUndefined();
  });
});

describe("a damaged store", () => {
  const keep = (name: string) => {
    mkdirSync(join(dataDir, "secrets"));
    writeFileSync(join(dataDir, "secrets", name), "");
  };

  it("[N9] a file that is no database is refused and left as it is", async () => {
    mkdirSync(join(dataDir, "db"));
    writeFileSync(file, "hello ".repeat(1000));
    expect(await refusal()).toContain("is damaged");
    expect(readFileSync(file, "utf8")).toBe("hello ".repeat(1000));
  });

  it("[N9] a database with an overwritten page is refused", async () => {
    await openAndClose();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xa5, 4096, 3 * 4096));
    expect(await refusal()).toContain("is damaged");
  });

  it.each([
    "machine.key",
    "passphrase-set",
  ])("[N9] a database that is missing, empty or blank although there is secrets/%s is never made afresh", async (name) => {
    keep(name);
    expect(await refusal()).toContain("missing or empty");
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, "");
    expect(await refusal()).toContain("missing or empty");
    expect(statSync(file).size).toBe(0);
    const blank = new DatabaseSync(file);
    blank.exec("PRAGMA user_version = 1");
    blank.close();
    expect(await refusal()).toContain("missing or empty");
  });

  it("[N9] a store with its machine key opens, and a database of another program does not", async () => {
    await openAndClose();
    keep("machine.key");
    await openAndClose();
    rmSync(join(dataDir, "secrets"), { recursive: true });
    rmSync(file);
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE theirs (id INTEGER)");
    other.close();
    expect(await refusal()).toContain("another program");
  });
});

describe("compact", () => {
  it("[S2] leaves nothing of what was deleted or replaced, in the file or its log", async () => {
    const database = await open();
    const [kept, gone] = ["kept", "gone"].map((word) => word.repeat(1000));
    const row = { name: "n", value: `${gone}` };
    await database.insertRows("meta", [row, { name: "m", value: `${kept}` }]);
    await database.query.updateTable("meta").set({ value: "" }).where("name", "=", "n").execute();
    const held = () =>
      Buffer.concat([file, `${file}-wal`].map((path) => readFileSync(path))).toString("latin1");
    expect(held()).toContain("gonegone");
    await database.compact();
    expect(held()).not.toContain("gonegone");
    expect(held()).toContain("keptkept");
    expect(statSync(`${file}-wal`).size).toBe(0);
    await database.close();
  });

  it("waits its turn, so that it never meets a transaction", async () => {
    await using database = await open();
    const work = Array.from({ length: 10 }, (_, at) =>
      database.transaction(async (query) => {
        await query
          .insertInto("meta")
          .values({ name: `n${at}`, value: "" })
          .execute();
      }),
    );
    await Promise.all([...work, database.compact(), database.compact()]);
    expect(await database.query.selectFrom("meta").selectAll().execute()).toHaveLength(10);
  });

  it("says so when another reader holds the log", async () => {
    await using database = await open();
    await database.insertRows("meta", [{ name: "n", value: "v" }]);
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec("BEGIN; SELECT * FROM meta");
    await database.insertRows("meta", [{ name: "m", value: "v" }]);
    await expect(database.compact()).rejects.toThrow("is being read");
    reader.exec("COMMIT");
    await database.compact();
    reader.close();
  });
});

describe("network file systems", () => {
  it("[N11] are refused by name before anything is written", async () => {
    const text = await refusal({ filesystem: () => ({ type: 0x6969, freeBytes: 1e12 }) });
    expect(text).toContain("NFS");
    expect(existsSync(join(dataDir, "db"))).toBe(false);
  });

  it("[N11] are known by their type, also when it is reported as a signed number; local ones are not", () => {
    expect(networkFilesystem(0xff534d42)).toBe("CIFS");
    expect(networkFilesystem(0xff534d42 - 2 ** 32)).toBe("CIFS");
    for (const local of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]) {
      expect(networkFilesystem(local)).toBeUndefined();
    }
  });
});

describe("versions and upgrades", () => {
  const copies = () => readdirSync(join(dataDir, "db", "before-upgrade")).sort();

  it("[N12] migrations are numbered from 1 without a gap", () => {
    expect(MIGRATIONS.map((migration) => migration.number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it("[N12] a newer store is refused, naming both versions", async () => {
    await openAndClose({ migrations: NEXT });
    const text = await refusal();
    expect(text).toContain(`version ${NEXT.length}`);
    expect(text).toContain(`up to ${MIGRATIONS.length}`);
  });

  it("[N12] a store whose migration differs from this program's is refused", async () => {
    await openAndClose();
    const changed = MIGRATIONS.map((migration) => ({ ...migration, sql: `${migration.sql} ` }));
    expect(await refusal({ migrations: changed })).toContain("Migration 1 (ground)");
  });

  it("[N12] an upgrade first copies the store as it was, mode 0600; a new store needs no copy", async () => {
    const first = await open();
    await first.insertRows("meta", [{ name: "n", value: "v" }]);
    await first.close();
    expect(existsSync(join(dataDir, "db", "before-upgrade"))).toBe(false);
    await openAndClose({ migrations: NEXT });
    const [name = ""] = copies();
    expect(name).toMatch(new RegExp(`^data-${MIGRATIONS.length}-\\d{8}T\\d{9}Z\\.sqlite$`));
    const path = join(dataDir, "db", "before-upgrade", name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(path, { readOnly: true });
    expect(copy.prepare("SELECT value FROM meta").get()?.value).toBe("v");
    expect(copy.prepare("SELECT max(number) AS version FROM migration").get()?.version).toBe(
      MIGRATIONS.length,
    );
    copy.close();
  });

  it("[N12] the newest three copies are kept", async () => {
    const versions = [0, 1, 2, 3, 4].map((more) => [
      ...MIGRATIONS,
      ...Array.from({ length: more }, (_, index) => {
        const number = MIGRATIONS.length + 1 + index;
        return { number, name: "more", sql: `CREATE TABLE more_${number} (id INTEGER);` };
      }),
    ]);
    for (const migrations of versions) {
      clock.advance(60_000);
      await openAndClose({ migrations });
    }
    expect(
      copies()
        .map((name) => Number(name.split("-")[1]))
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3].map((more) => MIGRATIONS.length + more));
  });

  it("[N12] without room for the copy there is no upgrade, and the store stays as it was", async () => {
    await openAndClose();
    const filesystem = (directory: string) => ({ ...probeFilesystem(directory), freeBytes: 4096 });
    expect(await refusal({ migrations: NEXT, filesystem })).toContain("free bytes");
    writeFileSync(join(dataDir, "db", "before-upgrade"), "in the way");
    expect(await refusal({ migrations: NEXT })).toContain("did not begin");
    await openAndClose();
  });

  it("[N12] a migration that fails halfway changes nothing and says so", async () => {
    const broken = {
      number: MIGRATIONS.length + 1,
      name: "broken",
      sql: "CREATE TABLE half (id); CREATE TABLE half (id);",
    };
    expect(await refusal({ migrations: [...MIGRATIONS, broken] })).toContain("(broken) failed");
    await using database = await open({ migrations: MIGRATIONS });
    const tables = sql`SELECT name FROM sqlite_schema WHERE name = 'half'`;
    expect((await tables.execute(database.query)).rows).toEqual([]);
  });
});

function holderProgram(): string {
  const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `
    import { openSqlite } from ${from("./sqlite.ts")};
    import { systemClock } from ${from("../lib/clock.ts")};
    await openSqlite({ dataDir: ${JSON.stringify(dataDir)}, clock: systemClock });
    process.stdout.write("held");
  `;
}
