import { createSecretKey } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StartError } from "#platform/lib/error.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { openTestSeal } from "#test/test-seal.ts";
import { Keyring, newTerm } from "./keyring.ts";
import { createMachineKey } from "./machine-key.ts";
import { wrapRoot, wrapTerm } from "./wrapping.ts";

const place = { table: "credential", column: "sealed", key: "cred_1" };
const clock = new FakeClock();
let dataDir: string;
let secretsDir: string;
let path: string;
let database: Database;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "claviger-seal-"));
  secretsDir = join(dataDir, "secrets");
  path = join(secretsDir, "machine.key");
  database = await openSqlite({ dataDir, clock });
});
afterEach(async () => {
  await database.close();
  await rm(dataDir, { recursive: true });
});

const start = (random = systemRandom) => openTestSeal({ database, dataDir, clock, random });
const slotOf = () => database.query.selectFrom("seal_slot").selectAll().executeTakeFirstOrThrow();
const termsOf = () => database.query.selectFrom("seal_term").selectAll().execute();

test("[S1] a fresh server seals at once, under a machine key file of mode 0400", async () => {
  const seal = await start();
  expect(seal.status()).toEqual({ initialized: false, unlocked: true });
  const sealed = seal.sealValue(place, new Secret("value"));
  expect(seal.openValue(place, sealed).toString()).toBe("value");
  expect((await stat(path)).mode & 0o7777).toBe(0o400);
  expect(await slotOf()).toMatchObject({ kind: "machine", created_at: clock.now() });
  expect(await termsOf()).toMatchObject([{ term: 1, created_at: clock.now() }]);
});

test("a later start opens what an earlier one sealed, and makes no new keys", async () => {
  const sealed = (await start()).sealValue(place, new Secret("value"));
  const before = [await readFile(path, "latin1"), await slotOf(), await termsOf()];
  await database.close();
  database = await openSqlite({ dataDir, clock });
  expect((await start()).openValue(place, sealed).toString()).toBe("value");
  expect([await readFile(path, "latin1"), await slotOf(), await termsOf()]).toEqual(before);
});

test("no key lies in the clear in the data directory but the machine key in its file", async () => {
  const drawn: Buffer[] = [];
  const bytes = (length: number) => {
    const fresh = systemRandom.bytes(length);
    drawn.push(Buffer.from(fresh));
    return fresh;
  };
  await start({ bytes });
  const { wrapped } = await slotOf();
  await database.close();
  const keys = drawn.filter(({ length }) => length === 32);
  expect(keys).toHaveLength(3);
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((file) => join(file.parentPath, file.name));
  const content = Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
  expect(content.includes(Buffer.from(wrapped))).toBe(true);
  for (const key of keys) expect(content.includes(key)).toBe(false);
  const inTheFile = keys.filter((key) => content.includes(key.toString("base64url")));
  expect(inTheFile.map((key) => `${key.toString("base64url")}\n`)).toEqual([await readFile(path, "latin1")]);
  database = await openSqlite({ dataDir, clock });
});

describe("a crash between the machine key file and the rows", () => {
  test("leaves a file that the next start takes", async () => {
    const crash = new Error("crash");
    const crashing: Database = {
      query: database.query,
      transaction: () => Promise.reject(crash),
      insertRows: () => Promise.reject(crash),
      openRowPort: () => Promise.reject(crash),
      compact: () => Promise.reject(crash),
      shrink: () => Promise.reject(crash),
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    await expect(openTestSeal({ database: crashing, dataDir, clock })).rejects.toThrow(crash);
    const left = await readFile(path, "latin1");
    expect(await termsOf()).toEqual([]);
    const sealed = (await start()).sealValue(place, new Secret("value"));
    expect(await readFile(path, "latin1")).toBe(left);
    expect((await start()).openValue(place, sealed).toString()).toBe("value");
  });
});

test("[N12] a store from before there were slots opens with its machine key", async () => {
  await database.close();
  await rm(join(dataDir, "db"), { recursive: true });
  database = await openSqlite({ dataDir, clock, migrations: MIGRATIONS.slice(0, 8) });
  const machineKey = await createMachineKey(secretsDir, systemRandom);
  const root = systemRandom.bytes(32);
  const term = newTerm(1, systemRandom);
  const wrappedRoot = wrapRoot({ kind: "machine", key: machineKey }, root, systemRandom);
  const wrappedTerm = wrapTerm(createSecretKey(root), term, systemRandom);
  const sealed = new Keyring([term]).seal(place, Buffer.from("value"), systemRandom);
  await sql`INSERT INTO seal_root VALUES (1, 'machine', ${wrappedRoot})`.execute(database.query);
  await sql`INSERT INTO seal_term VALUES (1, ${wrappedTerm}, 7)`.execute(database.query);
  await database.close();
  database = await openSqlite({ dataDir, clock });
  const seal = await start();
  expect(seal.status()).toEqual({ initialized: false, unlocked: true });
  expect(seal.openValue(place, sealed).toString()).toBe("value");
  expect(await slotOf()).toMatchObject({ kind: "machine", created_at: 7 });
});

describe("a start that cannot open the store says which file and how to repair it", () => {
  const expectStartError = async (...parts: string[]) => {
    const error = await start().then(
      () => expect.fail("it started"),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StartError);
    for (const part of parts) expect(String(error)).toContain(part);
  };

  test("the machine key is missing: no new one is made, and the old one put back repairs it", async () => {
    const sealed = (await start()).sealValue(place, new Secret("value"));
    await rename(path, join(dataDir, "kept"));
    await expectStartError(path, "is missing", "Put it back");
    expect(await readdir(secretsDir)).toEqual([]);
    await rename(join(dataDir, "kept"), path);
    expect((await start()).openValue(place, sealed).toString()).toBe("value");
  });

  test("the machine key is another one", async () => {
    await start();
    await chmod(path, 0o600);
    await writeFile(path, `${systemRandom.bytes(32).toString("base64url")}\n`);
    await expectStartError(path, "does not fit", "Put back");
  });

  test("[S12] a wrapped key is damaged or exchanged for another", async () => {
    await start();
    const { wrapped } = await slotOf();
    await database.query.updateTable("seal_term").set({ wrapped }).execute();
    await expectStartError("seal_term", "backup");
    await database.query
      .updateTable("seal_slot")
      .set({ wrapped: Buffer.alloc(65) })
      .execute();
    await expectStartError(path, "does not fit");
  });

  test.each(["seal_slot", "seal_term"] as const)("the rows of %s are gone", async (table) => {
    await start();
    await database.query.deleteFrom(table).execute();
    await expectStartError("damaged", "backup");
  });
});
