import { createSecretKey } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { newKey, SealedStore } from "#test/seal/sealed-store.ts";
import { openSlot } from "./opening.ts";
import { Stretching } from "./passphrase.ts";
import { open, SealedValueError, startOfTerm } from "./sealed-value.ts";
import { readStoredSeal } from "./store.ts";
import { unwrapTerm, unwrapTerms } from "./wrapping.ts";

const PLACE = { table: "named_credential", column: "sealed" };

const DAMAGED = Buffer.alloc(40, 1);
const coded = (code: string) => expect.objectContaining({ code });
let store: SealedStore;
beforeEach(async () => {
  store = await SealedStore.start();
});
afterEach(() => store[Symbol.asyncDispose]());

test("[S7] exchanges the key: all values under a new term, the old key refused from then on", async () => {
  const [key, next] = [newKey(), newKey()];
  await expect(store.rotate(key, next)).rejects.toThrow(coded("key_not_initialized"));
  await store.put({ one: "first" });
  await store.put({ two: "second" });
  await store.initialize(key);
  expect(await store.rotate(key, next)).toEqual({ resealed: 2, skipped: 0, failed: [] });
  expect(await store.values()).toEqual({ one: "first", two: "second" });
  expect([await store.slots(), await store.terms()]).toEqual([["passphrase"], [3]]);
  await expect(store.unlock(key)).rejects.toThrow(coded("wrong_key"));
  await expect(store.rotate(key, newKey())).rejects.toThrow(coded("wrong_key"));
  expect(store.seal.resealProgress()).toEqual({ running: false, done: 2, total: 2 });
  await store.restart();
  await expect(store.unlock(key)).rejects.toThrow(coded("wrong_key"));
  await store.unlock(next);
  expect(await store.values()).toEqual({ one: "first", two: "second" });
});

test("[S7] a wrong current key, a short new one, or a locked server: refused, and nothing changed", async () => {
  const key = newKey();
  await store.put({ one: "value" });
  await store.initialize(key);
  await store.seal.settled();
  const before = [await store.sealed(), await store.slots(), await store.terms(), await store.audited()];
  await expect(store.rotate(newKey(), newKey())).rejects.toThrow(coded("wrong_key"));
  await expect(store.rotate(key, new Secret("elevenchars"))).rejects.toThrow(coded("key_too_short"));
  await expect(store.rotate(key, new Secret("x".repeat(4097)))).rejects.toThrow(coded("key_too_long"));
  const wrong = newKey();
  await expect(store.rotate(wrong, wrong)).rejects.toThrow(coded("wrong_key"));
  expect([await store.sealed(), await store.slots(), await store.terms(), await store.audited()]).toEqual(
    before,
  );
  await store.lock();
  await expect(store.rotate(key, newKey())).rejects.toThrow(coded("server_locked"));
  await store.unlock(key);
});

test("[S7] an old passphrase with an old copy of the files opens nothing that was sealed or sealed anew later", async () => {
  const [key, next] = [newKey(), newKey()];
  await store.put({ one: "value" });
  await store.initialize(key);
  await store.seal.settled();
  const before = [...Object.values(await store.sealed()), ...(await store.wrapped())];
  await using copy = await store.copy();
  await copy.unlock(key);
  expect(await copy.values()).toEqual({ one: "value" });
  await store.rotate(key, next);
  await store.put({ two: "later" });
  await store.seal.settled();
  const content = store.everyByte();
  for (const bytes of before) expect(content.includes(bytes)).toBe(false);
  const stored = await readStoredSeal(copy.database.query);
  const { root, kek } = await openSlot(stored, key, new Stretching());
  const rootKey = createSecretKey(root);
  const terms = unwrapTerms(rootKey, stored.terms).map(({ bytes }) => createSecretKey(bytes));
  const places = Object.entries(await store.sealed()).map(([key, sealed]) => ({
    place: { ...PLACE, key },
    sealed,
  }));
  expect(places).toHaveLength(2);
  // Whatever term they name: the old keys open none of them.
  for (const old of [kek, rootKey, ...terms])
    for (const { place, sealed } of places)
      expect(() => open(place, sealed, () => old)).toThrow(SealedValueError);
  for (const row of (await readStoredSeal(store.database.query)).terms)
    expect(() => unwrapTerm(rootKey, row)).toThrow(SealedValueError);
});

test("[S10] of two at once one wins and the other is seal_busy; one that starts afterwards has the wrong key", async () => {
  const key = newKey();
  await store.initialize(key);
  const nexts = [newKey(), newKey()];
  const ends = await Promise.allSettled(nexts.map((next) => store.rotate(key, next)));
  expect(ends).toMatchObject([{ status: "fulfilled" }, { reason: { code: "seal_busy" } }]);
  await expect(store.rotate(key, newKey())).rejects.toThrow(coded("wrong_key"));
});

test("[S8] equal keys are the repair: what is whole stays as it is, what does not open is named and left", async () => {
  const key = newKey();
  await store.put({ good: "value" });
  await store.put({ bad: "lost" });
  await store.initialize(key);
  await store.overwrite("bad", DAMAGED);
  const before = [await store.sealed(), await store.slots(), await store.terms()];
  const failed = [{ table: "named_credential", id: "bad" }];
  for (const _ of [1, 2]) expect(await store.rotate(key, key)).toEqual({ resealed: 0, skipped: 1, failed });
  expect([await store.sealed(), await store.slots(), await store.terms()]).toEqual(before);
  const next = newKey();
  expect(await store.rotate(key, next)).toEqual({ resealed: 1, skipped: 0, failed });
  expect(await store.terms()).toEqual([2, 3]);
  // Also one that names the newest term: what is put back in its place may be of an older one.
  await store.overwrite("bad", Buffer.concat([startOfTerm(3), DAMAGED]));
  expect(await store.rotate(next, next)).toEqual({ resealed: 0, skipped: 1, failed });
  expect(await store.terms()).toEqual([2, 3]);
});

test("[S7] what a stop left under an older term is sealed anew at the next unlock", async () => {
  const [key, next] = [newKey(), newKey()];
  await store.put(Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`name-${at}`, `value-${at}`])));
  await store.initialize(key);
  const rotating = expect(store.rotate(key, next)).rejects.toThrow(coded("server_locked"));
  while (!store.seal.resealProgress().running) await new Promise(setImmediate);
  await store.seal.close();
  await rotating;
  expect(await store.terms()).toEqual([2, 3]);
  await store.restart();
  await expect(store.unlock(key)).rejects.toThrow(coded("wrong_key"));
  await store.unlock(next);
  await store.seal.settled();
  expect(await store.terms()).toEqual([3]);
  expect(Object.keys(await store.values())).toHaveLength(600);
});

test("[S10] a lock in the middle wins, and loses nothing", async () => {
  const [key, next] = [newKey(), newKey()];
  await store.put({ one: "value" });
  await store.initialize(key);
  const rotating = expect(store.rotate(key, next)).rejects.toThrow(coded("server_locked"));
  await store.lock();
  await rotating;
  expect(store.seal.isLocked()).toBe(true);
  await expect(store.unlock(next)).rejects.toThrow(coded("wrong_key"));
  await store.unlock(key);
  expect(await store.values()).toEqual({ one: "value" });
});
