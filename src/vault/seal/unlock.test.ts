import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { newKey, SealedStore } from "#test/seal/sealed-store.ts";
import { CHEAP } from "#test/test-seal.ts";

const coded = (code: string) => expect.objectContaining({ code });
let store: SealedStore;
beforeEach(async () => {
  store = await SealedStore.start();
});
afterEach(() => store[Symbol.asyncDispose]());

test("[S5] a wrong key changes nothing; the right one opens, and is right when it is open already", async () => {
  const key = newKey();
  await expect(store.unlock(key)).rejects.toThrow(coded("key_not_initialized"));
  await store.initialize(key);
  await store.restart();
  for (const wrong of [newKey(), new Secret(""), new Secret("short"), new Secret("x".repeat(5000))])
    await expect(store.unlock(wrong)).rejects.toThrow(coded("wrong_key"));
  expect(store.seal.isLocked()).toBe(true);
  await store.unlock(key);
  await store.unlock(key);
  await expect(store.unlock(newKey())).rejects.toThrow(coded("wrong_key"));
  expect(store.seal.isLocked()).toBe(false);
  expect(await store.audited()).toEqual([
    "key.initialize success",
    "key.unlock success",
    "key.unlock success",
  ]);
});

test("[S5] the same characters in other code points are the same key", async () => {
  await store.initialize(new Secret("clé de l\u2019\u00e9t\u00e9 \ufb01"));
  await store.lock();
  await store.unlock(new Secret("cle\u0301 de l\u2019e\u0301te\u0301 fi"));
  expect(store.seal.isLocked()).toBe(false);
});

test("a cheaper slot of an older program is made anew at the present cost; a dearer one stays", async () => {
  const key = newKey();
  await store.initialize(key);
  const first = store.seal.fingerprint();
  const dearer = { ...CHEAP, passes: 2 };
  for (const cost of [dearer, CHEAP]) {
    await store.restart({ cost });
    await store.unlock(key);
    const slot = await store.database.query.selectFrom("seal_slot").selectAll().executeTakeFirstOrThrow();
    expect(slot).toMatchObject({ memory_kib: CHEAP.memoryKib, passes: 2, lanes: 1 });
  }
  expect(store.seal.fingerprint()).not.toBe(first);
  await store.restart();
  await expect(store.unlock(newKey())).rejects.toThrow(coded("wrong_key"));
  await store.unlock(key);
});

test("who waits for the opening is told once, and one that fails stops nobody", async () => {
  const key = newKey();
  await store.initialize(key);
  const told: string[] = [];
  store.seal.onUnlock(() => Promise.reject(new Error("no luck")));
  store.seal.onUnlock(async () => void told.push(`open: ${!store.seal.isLocked()}`));
  store.seal.onUnlock(() => void told.push("stopped"))();
  await store.unlock(key);
  expect(told).toEqual([]);
  await store.lock();
  await Promise.all([store.unlock(key), store.unlock(key)]);
  expect(told).toEqual(["open: true"]);
  expect(store.logged.join()).toContain("no luck");
});
