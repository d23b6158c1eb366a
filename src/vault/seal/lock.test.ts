import { afterEach, beforeEach, expect, test } from "vitest";
import { newKey, SealedStore } from "#test/seal/sealed-store.ts";
import { BY } from "#test/test-seal.ts";

const coded = (code: string) => expect.objectContaining({ code });
let store: SealedStore;
beforeEach(async () => {
  store = await SealedStore.start();
});
afterEach(() => store[Symbol.asyncDispose]());

test("[S9] [S15] drops the keys at once, tells listeners, and no start opens the server by itself", async () => {
  const key = newKey();
  await expect(store.lock()).rejects.toThrow(coded("key_not_initialized"));
  expect(store.seal.isLocked()).toBe(false);
  await store.put({ one: "value" });
  await store.initialize(key);
  let told = 0;
  store.seal.onLock(() => {
    told += 1;
  });
  const locking = [store.lock(), store.lock()];
  expect([store.seal.isLocked(), told]).toEqual([true, 1]);
  await Promise.all(locking);
  await store.restart({ autoUnlock: key });
  expect(store.seal.isLocked()).toBe(true);
  await store.unlock(key);
  await store.restart({ autoUnlock: key });
  expect(await store.values()).toEqual({ one: "value" });
  const locks = (await store.audited()).filter((row) => row === "key.lock success");
  expect(locks).toHaveLength(2);
});

test("[S15] a wrong key to open itself with is logged and audited, and the server stays locked", async () => {
  await store.initialize(newKey());
  await store.restart({ autoUnlock: newKey() });
  expect(store.seal.status()).toEqual({ initialized: true, unlocked: false });
  expect(store.logged.join()).toContain("stays locked");
  expect((await store.audited()).at(-1)).toBe("key.unlock denied");
});

test("the end of the process is no lock by hand", async () => {
  const key = newKey();
  await store.initialize(key);
  await store.seal.close();
  expect(store.seal.isLocked()).toBe(true);
  await expect(store.unlock(key)).rejects.toThrow(coded("shutting_down"));
  await store.restart({ autoUnlock: key });
  expect(store.seal.isLocked()).toBe(false);
});

test("[S10] an unlock that began before a lock does not undo it; one that began after it does", async () => {
  const key = newKey();
  await store.initialize(key);
  await store.lock();
  const before = store.unlock(key);
  await store.lock();
  const after = store.unlock(key);
  await expect(before).rejects.toThrow(coded("seal_busy"));
  await after;
  expect(store.seal.isLocked()).toBe(false);
  await store.restart({ autoUnlock: key });
  expect(store.seal.isLocked()).toBe(false);
});

test("[W1] [S9] a lock whose record cannot be written holds at once, and is written as soon as it can be", async () => {
  const key = newKey();
  await store.initialize(key);
  await store.refuseRecords();
  await store.lock();
  expect(store.seal.isLocked()).toBe(true);
  expect(store.logged.join()).toContain("the server is locked, but");
  await expect(store.seal.flush()).rejects.toThrow("no room");
  await store.takeRecords();
  await store.seal.flush();
  await store.seal.flush();
  expect(await store.audited()).toEqual(["key.initialize success", "key.lock success"]);
  await store.restart({ autoUnlock: key });
  expect(store.seal.isLocked()).toBe(true);
});

test("[W1] what was not written of a lock does not lock again what was unlocked since, and is recorded all the same", async () => {
  const key = newKey();
  await store.initialize(key);
  await store.refuseRecords();
  await store.lock();
  await expect(store.unlock(key)).rejects.toThrow("no room");
  expect(store.seal.isLocked()).toBe(true);
  await store.takeRecords();
  await store.unlock(key);
  await store.seal.flush();
  const rows = ["key.initialize success", "key.lock success", "key.unlock success"];
  expect(await store.audited()).toEqual(rows);
  await store.restart({ autoUnlock: key });
  expect(store.seal.isLocked()).toBe(false);
});

test("[W1] a change of keys whose record cannot be written does not happen", async () => {
  const key = newKey();
  await store.put({ one: "value" });
  await store.refuseRecords();
  await expect(store.initialize(key)).rejects.toThrow("no room");
  expect([store.seal.status().initialized, await store.slots(), await store.terms()]).toEqual([
    false,
    ["machine"],
    [1],
  ]);
  await store.takeRecords();
  await store.initialize(key);
  await store.refuseRecords();
  await expect(store.rotate(key, newKey())).rejects.toThrow("no room");
  await expect(store.rotate(key, key)).rejects.toThrow("no room");
  await expect(store.seal.revokeRecovery(BY)).rejects.toThrow("no room");
  await store.takeRecords();
  await store.restart();
  await store.unlock(key);
  expect([await store.values(), await store.terms()]).toEqual([{ one: "value" }, [2]]);
});
