import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { BY, CHEAP, openTestSeal } from "#test/test-seal.ts";
import type { Seal, SealedColumn } from "./index.ts";

const COLUMN: SealedColumn = { table: "named_credential", column: "sealed", key: "name" };
const clock = new FakeClock();
let dataDir: string;
let database: Database;
let seal: Seal;
let logged: string[];
beforeEach(async () => {
  logged = [];
  dataDir = await mkdtemp(join(tmpdir(), "claviger-server-key-"));
  await open();
});
afterEach(async () => {
  await close();
  await rm(dataDir, { recursive: true });
});

async function open(more: { autoUnlock?: Secret; cost?: typeof CHEAP } = {}): Promise<void> {
  database = await openSqlite({ dataDir, clock });
  seal = await openTestSeal({ database, dataDir, clock, sealed: [COLUMN], logged, ...more });
}
async function close(): Promise<void> {
  await seal.close();
  await database.close();
}
async function restart(more: Parameters<typeof open>[0] = {}): Promise<void> {
  await close();
  await open(more);
}

const newKey = () => new Secret(systemRandom.bytes(12).toString("hex"));
const placeOf = (name: string) => ({ table: COLUMN.table, column: COLUMN.column, key: name });
const put = (name: string, value: string) =>
  database.transaction(async (query) => {
    const row = { name, hint: "", origin: null, proxy: null, created_at: 0, updated_at: 0 };
    const sealed = seal.sealValue(placeOf(name), new Secret(value));
    await query
      .insertInto("named_credential")
      .values({ ...row, sealed })
      .execute();
  });
const rows = () => database.query.selectFrom("named_credential").select(["name", "sealed"]).execute();
const readAll = async () =>
  Object.fromEntries(
    (await rows()).map(({ name, sealed }) => [name, seal.openValue(placeOf(name), sealed).toString()]),
  );
const terms = async () =>
  (await database.query.selectFrom("seal_term").select("term").orderBy("term").execute()).map(
    (row) => row.term,
  );
const slots = async () =>
  (await database.query.selectFrom("seal_slot").select("kind").orderBy("kind").execute()).map(
    (row) => row.kind,
  );
const audited = async () =>
  (await database.query.selectFrom("audit").select(["action", "outcome"]).orderBy("seq").execute()).map(
    ({ action, outcome }) => `${action} ${outcome}`,
  );
const coded = (code: string) => expect.objectContaining({ code });
const enable = (key: Secret, recovery = false) => seal.initialize(key, { recovery, by: BY });
const rotate = (current: Secret, next: Secret) => seal.rotate({ current, next }, BY);
const damage = (name: string) =>
  database.query
    .updateTable("named_credential")
    .set({ sealed: Buffer.alloc(40, 1) })
    .where("name", "=", name)
    .execute();

const refuseRecords = () =>
  sql`CREATE TEMP TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no room'); END`.execute(
    database.query,
  );
const takeRecords = () => sql`DROP TRIGGER full`.execute(database.query);

describe("initialize", () => {
  test("[S2] sets the passphrase: every value under a new term, and later starts are locked", async () => {
    const key = newKey();
    await put("one", "first");
    await put("two", "second");
    const before = await rows();
    const { recoveryKey, report } = await enable(key);
    expect(recoveryKey).toBeUndefined();
    expect(report).toEqual({ resealed: 2, skipped: 0, failed: [] });
    expect(seal.status()).toEqual({ initialized: true, unlocked: true });
    expect(await readAll()).toEqual({ one: "first", two: "second" });
    expect((await rows()).map(({ sealed }) => sealed)).not.toEqual(before.map(({ sealed }) => sealed));
    expect([await slots(), await terms()]).toEqual([["passphrase"], [2]]);
    expect(await audited()).toEqual(["key.initialize success"]);
    await restart();
    expect(seal.status()).toEqual({ initialized: true, unlocked: false });
    await expect(readAll()).rejects.toThrow(coded("server_locked"));
    await seal.unlock(key, BY);
    expect(await readAll()).toEqual({ one: "first", two: "second" });
  });

  test("[S2] leaves neither plaintext nor old ciphertext nor the machine key in the data directory", async () => {
    const value = systemRandom.bytes(40).toString("hex");
    await put("one", value);
    const machineKey = await readFile(join(dataDir, "secrets", "machine.key"));
    const old = [...(await rows()).map(({ sealed }) => sealed), ...(await wrappedBytes())];
    await enable(newKey());
    await seal.settled();
    const content = await everyByte();
    for (const bytes of [...old, Buffer.from(value), machineKey.subarray(0, 43)])
      expect(content.includes(Buffer.from(bytes))).toBe(false);
    for (const { sealed } of await rows()) expect(content.includes(Buffer.from(sealed))).toBe(true);
    expect(await readdir(join(dataDir, "secrets"))).toEqual(["passphrase-set"]);
    expect((await stat(join(dataDir, "secrets", "passphrase-set"))).mode & 0o7777).toBe(0o400);
    expect(logged).toEqual([]);
  });

  test("[S2] [S5] a second one is refused, and so are keys under 12 characters or over 4,096 bytes", async () => {
    const refused = (key: string, code: string) =>
      expect(enable(new Secret(key))).rejects.toThrow(coded(code));
    await refused("elevenchars", "key_too_short");
    // Ten characters, though each is two code units, and more once decomposed.
    await refused("\u{1f511}".repeat(10), "key_too_short");
    // One character in NFKC each.
    await refused("e\u0301".repeat(11), "key_too_short");
    await refused("x".repeat(4097), "key_too_long");
    await refused("é".repeat(2049), "key_too_long");
    await refused(`${"x".repeat(12)}\ud800`, "bad_request");
    await refused("claviger-recovery-ABCD", "bad_request");
    expect(seal.status()).toEqual({ initialized: false, unlocked: true });
    const key = new Secret("\u{1f511}".repeat(12));
    await enable(key);
    await expect(enable(newKey())).rejects.toThrow(coded("key_initialized"));
    await seal.lock(BY);
    await expect(enable(newKey())).rejects.toThrow(coded("key_initialized"));
    await seal.unlock(key, BY);
  });

  test("[S2] the longest key is accepted", async () => {
    const key = new Secret("x".repeat(4096));
    await enable(key);
    await seal.lock(BY);
    await seal.unlock(key, BY);
    expect(seal.isLocked()).toBe(false);
  });

  test("[S10] of several at once one wins, and the others are seal_busy", async () => {
    const keys = [newKey(), newKey(), newKey()];
    const ends = await Promise.allSettled(keys.map((key) => enable(key)));
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    for (const end of ends.slice(1)) expect(end).toMatchObject({ reason: { code: "seal_busy" } });
    await expect(seal.unlock(keys[1] ?? newKey(), BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(keys[0] ?? newKey(), BY);
  });

  test("a value that does not open stops nothing: it stays, is named, and its term is kept", async () => {
    await put("good", "value");
    await put("bad", "lost");
    await put("back", "found");
    const kept = (await rows()).find(({ name }) => name === "back")?.sealed ?? Buffer.alloc(0);
    await damage("bad");
    await damage("back");
    const key = newKey();
    const { report } = await enable(key);
    const failed = ["back", "bad"].map((id) => ({ table: "named_credential", id }));
    expect(report).toEqual({ resealed: 1, skipped: 0, failed });
    expect(await terms()).toEqual([1, 2]);
    expect(logged.join()).toContain("named_credential bad");
    // Put back from a backup of before: its term is still there, the repair moves it, and then all is well again.
    await database.query
      .updateTable("named_credential")
      .set({ sealed: kept })
      .where("name", "=", "back")
      .execute();
    expect(await rotate(key, key)).toEqual({ resealed: 1, skipped: 1, failed: failed.slice(1) });
    await database.query.deleteFrom("named_credential").where("name", "=", "bad").execute();
    expect(await rotate(key, key)).toEqual({ resealed: 0, skipped: 2, failed: [] });
    expect(await terms()).toEqual([2]);
    expect(await readAll()).toEqual({ good: "value", back: "found" });
  });
});

describe("unlock", () => {
  test("[S5] a wrong key changes nothing; the right one opens, and is right when it is open already", async () => {
    const key = newKey();
    await expect(seal.unlock(key, BY)).rejects.toThrow(coded("key_not_initialized"));
    await enable(key);
    await restart();
    for (const wrong of [newKey(), new Secret(""), new Secret("short"), new Secret("x".repeat(5000))])
      await expect(seal.unlock(wrong, BY)).rejects.toThrow(coded("wrong_key"));
    expect(seal.isLocked()).toBe(true);
    await seal.unlock(key, BY);
    await seal.unlock(key, BY);
    await expect(seal.unlock(newKey(), BY)).rejects.toThrow(coded("wrong_key"));
    expect(seal.isLocked()).toBe(false);
    expect(await audited()).toEqual(["key.initialize success", "key.unlock success", "key.unlock success"]);
  });

  test("[S5] the same characters in other code points are the same key", async () => {
    await enable(new Secret("clé de l\u2019\u00e9t\u00e9 \ufb01"));
    await seal.lock(BY);
    await seal.unlock(new Secret("cle\u0301 de l\u2019e\u0301te\u0301 fi"), BY);
    expect(seal.isLocked()).toBe(false);
  });

  test("a cheaper slot of an older program is made anew at the present cost; a dearer one stays", async () => {
    const key = newKey();
    await enable(key);
    const first = seal.fingerprint();
    const dearer = { ...CHEAP, passes: 2 };
    for (const cost of [dearer, CHEAP]) {
      await restart({ cost });
      await seal.unlock(key, BY);
      const slot = await database.query.selectFrom("seal_slot").selectAll().executeTakeFirstOrThrow();
      expect(slot).toMatchObject({ memory_kib: CHEAP.memoryKib, passes: 2, lanes: 1 });
    }
    expect(seal.fingerprint()).not.toBe(first);
    await restart();
    await expect(seal.unlock(newKey(), BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(key, BY);
  });

  test("who waits for the opening is told once, and one that fails stops nobody", async () => {
    const key = newKey();
    await enable(key);
    const told: string[] = [];
    seal.onUnlock(() => Promise.reject(new Error("no luck")));
    seal.onUnlock(async () => void told.push(`open: ${!seal.isLocked()}`));
    seal.onUnlock(() => void told.push("stopped"))();
    await seal.unlock(key, BY);
    expect(told).toEqual([]);
    await seal.lock(BY);
    await Promise.all([seal.unlock(key, BY), seal.unlock(key, BY)]);
    expect(told).toEqual(["open: true"]);
    expect(logged.join()).toContain("no luck");
  });
});

describe("lock", () => {
  test("[S9] [S15] drops the keys at once, tells listeners, and no start opens the server by itself", async () => {
    const key = newKey();
    await expect(seal.lock(BY)).rejects.toThrow(coded("key_not_initialized"));
    expect(seal.isLocked()).toBe(false);
    await put("one", "value");
    await enable(key);
    let told = 0;
    seal.onLock(() => {
      told += 1;
    });
    const locking = [seal.lock(BY), seal.lock(BY)];
    expect([seal.isLocked(), told]).toEqual([true, 1]);
    await Promise.all(locking);
    await restart({ autoUnlock: key });
    expect(seal.isLocked()).toBe(true);
    await seal.unlock(key, BY);
    await restart({ autoUnlock: key });
    expect(await readAll()).toEqual({ one: "value" });
    const locks = (await audited()).filter((row) => row === "key.lock success");
    expect(locks).toHaveLength(2);
  });

  test("[S15] a wrong key to open itself with is logged and audited, and the server stays locked", async () => {
    await enable(newKey());
    await restart({ autoUnlock: newKey() });
    expect(seal.status()).toEqual({ initialized: true, unlocked: false });
    expect(logged.join()).toContain("stays locked");
    expect((await audited()).at(-1)).toBe("key.unlock denied");
  });

  test("the end of the process is no lock by hand", async () => {
    const key = newKey();
    await enable(key);
    await seal.close();
    expect(seal.isLocked()).toBe(true);
    await expect(seal.unlock(key, BY)).rejects.toThrow(coded("shutting_down"));
    await restart({ autoUnlock: key });
    expect(seal.isLocked()).toBe(false);
  });

  test("[S10] an unlock that began before a lock does not undo it; one that began after it does", async () => {
    const key = newKey();
    await enable(key);
    await seal.lock(BY);
    const before = seal.unlock(key, BY);
    await seal.lock(BY);
    const after = seal.unlock(key, BY);
    await expect(before).rejects.toThrow(coded("seal_busy"));
    await after;
    expect(seal.isLocked()).toBe(false);
    await restart({ autoUnlock: key });
    expect(seal.isLocked()).toBe(false);
  });

  test("[W1] [S9] a lock whose record cannot be written holds at once, and is written as soon as it can be", async () => {
    const key = newKey();
    await enable(key);
    await refuseRecords();
    await seal.lock(BY);
    expect(seal.isLocked()).toBe(true);
    expect(logged.join()).toContain("the server is locked, but");
    await expect(seal.flush()).rejects.toThrow("no room");
    await takeRecords();
    await seal.flush();
    await seal.flush();
    expect(await audited()).toEqual(["key.initialize success", "key.lock success"]);
    await restart({ autoUnlock: key });
    expect(seal.isLocked()).toBe(true);
  });

  test("[W1] what was not written of a lock does not lock again what was unlocked since, and is recorded all the same", async () => {
    const key = newKey();
    await enable(key);
    await refuseRecords();
    await seal.lock(BY);
    await expect(seal.unlock(key, BY)).rejects.toThrow("no room");
    expect(seal.isLocked()).toBe(true);
    await takeRecords();
    await seal.unlock(key, BY);
    await seal.flush();
    const rows = ["key.initialize success", "key.lock success", "key.unlock success"];
    expect(await audited()).toEqual(rows);
    await restart({ autoUnlock: key });
    expect(seal.isLocked()).toBe(false);
  });

  test("[W1] a change of keys whose record cannot be written does not happen", async () => {
    const key = newKey();
    await put("one", "value");
    await refuseRecords();
    await expect(enable(key)).rejects.toThrow("no room");
    expect([seal.status().initialized, await slots(), await terms()]).toEqual([false, ["machine"], [1]]);
    await takeRecords();
    await enable(key);
    await refuseRecords();
    await expect(rotate(key, newKey())).rejects.toThrow("no room");
    await expect(rotate(key, key)).rejects.toThrow("no room");
    await expect(seal.revokeRecovery(BY)).rejects.toThrow("no room");
    await takeRecords();
    await restart();
    await seal.unlock(key, BY);
    expect([await readAll(), await terms()]).toEqual([{ one: "value" }, [2]]);
  });
});

describe("rotate", () => {
  test("[S7] exchanges the key: all values under a new term, the old key refused from then on", async () => {
    const [key, next] = [newKey(), newKey()];
    await expect(rotate(key, next)).rejects.toThrow(coded("key_not_initialized"));
    await put("one", "first");
    await put("two", "second");
    await enable(key);
    expect(await rotate(key, next)).toEqual({ resealed: 2, skipped: 0, failed: [] });
    expect(await readAll()).toEqual({ one: "first", two: "second" });
    expect([await slots(), await terms()]).toEqual([["passphrase"], [3]]);
    await expect(seal.unlock(key, BY)).rejects.toThrow(coded("wrong_key"));
    await expect(rotate(key, newKey())).rejects.toThrow(coded("wrong_key"));
    expect(seal.resealProgress()).toEqual({ running: false, done: 2, total: 2 });
    await restart();
    await expect(seal.unlock(key, BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(next, BY);
    expect(await readAll()).toEqual({ one: "first", two: "second" });
  });

  test("[S7] a wrong current key, a short new one, or a locked server: refused, and nothing changed", async () => {
    const key = newKey();
    await put("one", "value");
    await enable(key);
    await seal.settled();
    const before = [await rows(), await slots(), await terms(), await audited()];
    await expect(rotate(newKey(), newKey())).rejects.toThrow(coded("wrong_key"));
    await expect(rotate(key, new Secret("elevenchars"))).rejects.toThrow(coded("key_too_short"));
    await expect(rotate(key, new Secret("x".repeat(4097)))).rejects.toThrow(coded("key_too_long"));
    const wrong = newKey();
    await expect(rotate(wrong, wrong)).rejects.toThrow(coded("wrong_key"));
    expect([await rows(), await slots(), await terms(), await audited()]).toEqual(before);
    await seal.lock(BY);
    await expect(rotate(key, newKey())).rejects.toThrow(coded("server_locked"));
    await seal.unlock(key, BY);
  });

  test("[S7] an old passphrase opens nothing in a later copy of the files", async () => {
    const [key, next] = [newKey(), newKey()];
    await put("one", "value");
    await enable(key);
    await seal.settled();
    const old = [...(await rows()).map(({ sealed }) => sealed), ...(await wrappedBytes())];
    await rotate(key, next);
    await seal.settled();
    const content = await everyByte();
    for (const bytes of old) expect(content.includes(Buffer.from(bytes))).toBe(false);
  });

  test("[S10] of two at once one wins and the other is seal_busy; one that starts afterwards has the wrong key", async () => {
    const key = newKey();
    await enable(key);
    const nexts = [newKey(), newKey()];
    const ends = await Promise.allSettled(nexts.map((next) => rotate(key, next)));
    expect(ends).toMatchObject([{ status: "fulfilled" }, { reason: { code: "seal_busy" } }]);
    await expect(rotate(key, newKey())).rejects.toThrow(coded("wrong_key"));
  });

  test("[S8] equal keys are the repair: what is whole stays as it is, what does not open is named and left", async () => {
    const key = newKey();
    await put("good", "value");
    await put("bad", "lost");
    await enable(key);
    await damage("bad");
    const before = [await rows(), await slots(), await terms()];
    const failed = [{ table: "named_credential", id: "bad" }];
    for (const _ of [1, 2]) expect(await rotate(key, key)).toEqual({ resealed: 0, skipped: 1, failed });
    expect([await rows(), await slots(), await terms()]).toEqual(before);
    expect(await rotate(key, newKey())).toEqual({ resealed: 1, skipped: 0, failed });
    expect(await terms()).toEqual([2, 3]);
  });

  test("[S7] what a stop left under an older term is sealed anew at the next unlock", async () => {
    const [key, next] = [newKey(), newKey()];
    for (let at = 0; at < 600; at++) await put(`name-${at}`, `value-${at}`);
    await enable(key);
    const rotating = expect(rotate(key, next)).rejects.toThrow(coded("server_locked"));
    while (!seal.resealProgress().running) await new Promise(setImmediate);
    await seal.close();
    await rotating;
    expect(await terms()).toEqual([2, 3]);
    await restart();
    await expect(seal.unlock(key, BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(next, BY);
    await seal.settled();
    expect(await terms()).toEqual([3]);
    expect(Object.keys(await readAll())).toHaveLength(600);
  });

  test("[S10] a lock in the middle wins, and loses nothing", async () => {
    const [key, next] = [newKey(), newKey()];
    await put("one", "value");
    await enable(key);
    const rotating = expect(rotate(key, next)).rejects.toThrow(coded("server_locked"));
    await seal.lock(BY);
    await rotating;
    expect(seal.isLocked()).toBe(true);
    await expect(seal.unlock(next, BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(key, BY);
    expect(await readAll()).toEqual({ one: "value" });
  });
});

describe("the recovery key", () => {
  test("[S15] opens the store, goes on through rotations, exchanges a forgotten passphrase, and is revocable", async () => {
    const [key, next] = [newKey(), newKey()];
    await put("one", "value");
    const { recoveryKey } = await enable(key, true);
    const recovery = recoveryKey ?? expect.fail("no recovery key");
    expect(recovery.expose()).toMatch(/^claviger-recovery-([0-9A-Z]{4}-){13}[0-9A-Z]{4}$/);
    expect(await slots()).toEqual(["passphrase", "recovery"]);
    await rotate(key, next);
    await restart();
    await seal.unlock(
      new Secret(` ${recovery.expose().toLowerCase().replaceAll("-", " ")}
`),
      BY,
    );
    expect(await readAll()).toEqual({ one: "value" });
    const last = newKey();
    await rotate(recovery, last);
    expect(await rotate(recovery, recovery)).toEqual({ resealed: 0, skipped: 1, failed: [] });
    await expect(seal.unlock(next, BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(recovery, BY);
    await seal.revokeRecovery(BY);
    await seal.revokeRecovery(BY);
    await expect(seal.unlock(recovery, BY)).rejects.toThrow(coded("wrong_key"));
    await seal.unlock(last, BY);
    expect(await audited()).toContain("key.recovery.revoke success");
  });

  test("[S15] mistyped it is told from a wrong one; one of another store is wrong; there is none unless asked for", async () => {
    const key = newKey();
    const { recoveryKey } = await enable(key, true);
    const text = recoveryKey?.expose() ?? "";
    const swapped = text.replace(/.$/, (last) => (last === "7" ? "8" : "7"));
    for (const mistyped of [swapped, text.slice(0, -1), `${text}7`, `${text.slice(0, -1)}U`])
      await expect(seal.unlock(new Secret(mistyped), BY)).rejects.toThrow("mistyped");
    await seal.revokeRecovery(BY);
    await expect(seal.unlock(new Secret(text), BY)).rejects.toThrow("not the server key");
  });

  test("[S15] one whose wrapping key is damaged is dropped at the rotation, and named", async () => {
    const key = newKey();
    const { recoveryKey } = await enable(key, true);
    await database.query
      .updateTable("seal_slot")
      .set({ wrapping_key: Buffer.alloc(65) })
      .where("kind", "=", "recovery")
      .execute();
    const { failed } = await rotate(key, newKey());
    expect(failed).toEqual([{ table: "seal_slot", id: "recovery" }]);
    expect(await slots()).toEqual(["passphrase"]);
    await expect(seal.unlock(recoveryKey ?? newKey(), BY)).rejects.toThrow(coded("wrong_key"));
  });
});

async function wrappedBytes(): Promise<Uint8Array[]> {
  const found = await database.query.selectFrom("seal_slot").select("wrapped").execute();
  return [...found, ...(await database.query.selectFrom("seal_term").select("wrapped").execute())].map(
    ({ wrapped }) => wrapped,
  );
}

async function everyByte(): Promise<Buffer> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((file) => join(file.parentPath, file.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}
