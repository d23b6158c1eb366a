import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { newKey, SealedStore } from "#test/seal/sealed-store.ts";
import { BY } from "#test/test-seal.ts";

const coded = (code: string) => expect.objectContaining({ code });
let store: SealedStore;
beforeEach(async () => {
  store = await SealedStore.start();
});
afterEach(() => store[Symbol.asyncDispose]());

test("[S15] opens the store, goes on through rotations, exchanges a forgotten passphrase, and is revocable", async () => {
  const [key, next] = [newKey(), newKey()];
  await store.put({ one: "value" });
  const { recoveryKey } = await store.initialize(key, true);
  const recovery = recoveryKey ?? expect.fail("no recovery key");
  expect(recovery.expose()).toMatch(/^claviger-recovery-([0-9A-Z]{4}-){13}[0-9A-Z]{4}$/);
  expect(await store.slots()).toEqual(["passphrase", "recovery"]);
  await store.rotate(key, next);
  await store.restart();
  await store.unlock(new Secret(` ${recovery.expose().toLowerCase().replaceAll("-", " ")}\n`));
  expect(await store.values()).toEqual({ one: "value" });
  const last = newKey();
  await store.rotate(recovery, last);
  expect(await store.rotate(recovery, recovery)).toEqual({ resealed: 0, skipped: 1, failed: [] });
  await expect(store.unlock(next)).rejects.toThrow(coded("wrong_key"));
  await store.unlock(recovery);
  await store.seal.revokeRecovery(BY);
  await store.seal.revokeRecovery(BY);
  await expect(store.unlock(recovery)).rejects.toThrow(coded("wrong_key"));
  await store.unlock(last);
  expect(await store.audited()).toContain("key.recovery.revoke success");
});

test("[S15] mistyped it is told from a wrong one; one of another store is wrong; there is none unless asked for", async () => {
  const key = newKey();
  const { recoveryKey } = await store.initialize(key, true);
  const text = recoveryKey?.expose() ?? "";
  const swapped = text.replace(/.$/, (last) => (last === "7" ? "8" : "7"));
  for (const mistyped of [swapped, text.slice(0, -1), `${text}7`, `${text.slice(0, -1)}U`])
    await expect(store.unlock(new Secret(mistyped))).rejects.toThrow("mistyped");
  await store.seal.revokeRecovery(BY);
  await expect(store.unlock(new Secret(text))).rejects.toThrow("not the server key");
});

test("[S15] one whose wrapping key is damaged is dropped at the rotation, and named", async () => {
  const key = newKey();
  const { recoveryKey } = await store.initialize(key, true);
  await store.database.query
    .updateTable("seal_slot")
    .set({ wrapping_key: Buffer.alloc(65) })
    .where("kind", "=", "recovery")
    .execute();
  const { failed } = await store.rotate(key, newKey());
  expect(failed).toEqual([{ table: "seal_slot", id: "recovery" }]);
  expect(await store.slots()).toEqual(["passphrase"]);
  await expect(store.unlock(recoveryKey ?? newKey())).rejects.toThrow(coded("wrong_key"));
});
