import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { newKey, SealedStore } from "#test/seal/sealed-store.ts";

const DAMAGED = Buffer.alloc(40, 1);
const coded = (code: string) => expect.objectContaining({ code });
let store: SealedStore;
beforeEach(async () => {
  store = await SealedStore.start();
});
afterEach(() => store[Symbol.asyncDispose]());

test("[S2] sets the passphrase: every value under a new term, and later starts are locked", async () => {
  const key = newKey();
  await store.put({ one: "first" });
  await store.put({ two: "second" });
  const before = await store.sealed();
  const { recoveryKey, report } = await store.initialize(key);
  expect(recoveryKey).toBeUndefined();
  expect(report).toEqual({ resealed: 2, skipped: 0, failed: [] });
  expect(store.seal.status()).toEqual({ initialized: true, unlocked: true });
  expect(await store.values()).toEqual({ one: "first", two: "second" });
  const after = await store.sealed();
  for (const name of ["one", "two"]) expect(after[name]).not.toEqual(before[name]);
  expect([await store.slots(), await store.terms()]).toEqual([["passphrase"], [2]]);
  expect(await store.audited()).toEqual(["key.initialize success"]);
  await store.restart();
  expect(store.seal.status()).toEqual({ initialized: true, unlocked: false });
  await expect(store.values()).rejects.toThrow(coded("server_locked"));
  await store.unlock(key);
  expect(await store.values()).toEqual({ one: "first", two: "second" });
});

test("[S2] leaves neither plaintext nor old ciphertext nor the machine key in the data directory", async () => {
  const value = systemRandom.bytes(40).toString("hex");
  await store.put({ one: value });
  const machineKey = readFileSync(join(store.dataDir, "secrets", "machine.key"));
  const old = [...Object.values(await store.sealed()), ...(await store.wrapped())];
  await store.initialize(newKey());
  await store.seal.settled();
  const content = store.everyByte();
  for (const bytes of [...old, Buffer.from(value), machineKey.subarray(0, 43)])
    expect(content.includes(bytes)).toBe(false);
  for (const sealed of Object.values(await store.sealed())) expect(content.includes(sealed)).toBe(true);
  expect(readdirSync(join(store.dataDir, "secrets"))).toEqual(["passphrase-set"]);
  expect(statSync(join(store.dataDir, "secrets", "passphrase-set")).mode & 0o7777).toBe(0o400);
  expect(store.logged).toEqual([]);
});

test("[S2] [S5] a second one is refused, and so are keys under 12 characters or over 4,096 bytes", async () => {
  const refused = (key: string, code: string) =>
    expect(store.initialize(new Secret(key))).rejects.toThrow(coded(code));
  await refused("elevenchars", "key_too_short");
  // Ten characters, though each is two code units, and more once decomposed.
  await refused("\u{1f511}".repeat(10), "key_too_short");
  // One character in NFKC each.
  await refused("e\u0301".repeat(11), "key_too_short");
  await refused("x".repeat(4097), "key_too_long");
  await refused("é".repeat(2049), "key_too_long");
  await refused(`${"x".repeat(12)}\ud800`, "bad_request");
  await refused("claviger-recovery-ABCD", "bad_request");
  expect(store.seal.status()).toEqual({ initialized: false, unlocked: true });
  const key = new Secret("\u{1f511}".repeat(12));
  await store.initialize(key);
  await expect(store.initialize(newKey())).rejects.toThrow(coded("key_initialized"));
  await store.lock();
  await expect(store.initialize(newKey())).rejects.toThrow(coded("key_initialized"));
  await store.unlock(key);
});

test("[S2] the longest key is accepted", async () => {
  const key = new Secret("x".repeat(4096));
  await store.initialize(key);
  await store.lock();
  await store.unlock(key);
  expect(store.seal.isLocked()).toBe(false);
});

test("[S10] of several at once one wins, and the others are seal_busy", async () => {
  const keys = [newKey(), newKey(), newKey()];
  const ends = await Promise.allSettled(keys.map((key) => store.initialize(key)));
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  for (const end of ends.slice(1)) expect(end).toMatchObject({ reason: { code: "seal_busy" } });
  await expect(store.unlock(keys[1] ?? newKey())).rejects.toThrow(coded("wrong_key"));
  await store.unlock(keys[0] ?? newKey());
});

test("a value that does not open stops nothing: it stays, is named, and its term is kept", async () => {
  await store.put({ good: "value", bad: "lost", back: "found" });
  const { back = DAMAGED } = await store.sealed();
  await store.overwrite("bad", DAMAGED);
  await store.overwrite("back", DAMAGED);
  const key = newKey();
  const { report } = await store.initialize(key);
  const failed = ["back", "bad"].map((id) => ({ table: "named_credential", id }));
  expect(report).toEqual({ resealed: 1, skipped: 0, failed });
  expect(await store.terms()).toEqual([1, 2]);
  expect(store.logged.join()).toContain("named_credential bad");
  // Put back from a backup of before: its term is still there, the repair moves it, and then all is well again.
  await store.overwrite("back", back);
  expect(await store.rotate(key, key)).toEqual({ resealed: 1, skipped: 1, failed: failed.slice(1) });
  await store.remove("bad");
  expect(await store.rotate(key, key)).toEqual({ resealed: 0, skipped: 2, failed: [] });
  expect(await store.terms()).toEqual([2]);
  expect(await store.values()).toEqual({ good: "value", back: "found" });
});
