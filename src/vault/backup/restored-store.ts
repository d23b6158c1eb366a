import type { Query } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";
import { openStoreFile, type StoreFile } from "#platform/storage/store-file.ts";
import { storedSeal } from "#vault/seal/index.ts";
import type { BackupFacts } from "./container/header.ts";
import { dropMeta, endEverySession, revokeEveryKey } from "./store.ts";

const PREFIX = "restore.";
const PENDING = "api_key_secret";

/**
 * Makes a store ready to be started from a backup: what the old JWT_SECRET signed holds no more, whichever the new one
 * is, the API_KEY_SECRET comes with the first unlock, and somebody has to do that. Where `revokeKeys` says so, no API key holds any more.
 */
export async function markRestored(
  path: string,
  how: { facts: BackupFacts; nowMs: number; revokeKeys: boolean },
): Promise<void> {
  using store = openStoreFile(path, { readOnly: false });
  await store.transaction(async (query) => {
    await dropMeta(query, "fingerprint.JWT_SECRET");
    if (how.facts.server_key !== "uninitialized") {
      await writeMeta(query, PREFIX, new Map([[PENDING, "in the store"]]));
      await storedSeal.lockByHand(query, how.nowMs);
    }
    if (store.hasTable("session")) await endEverySession(query);
    if (how.revokeKeys) await revokeEveryKey(query, how.nowMs);
  });
}

/** The fingerprint of the server key of a store in a file, or that none was set, as in stores that could have none. */
export async function serverKeyOf(store: StoreFile): Promise<string> {
  const none = "uninitialized";
  return store.hasTable("seal_slot") ? ((await storedSeal.fingerprint(store.query)) ?? none) : none;
}

/** Whether the store waits for the unlock that brings the API_KEY_SECRET of its backup. */
export async function awaitsApiKeySecret(query: Query): Promise<boolean> {
  return (await readMeta(query, PREFIX)).has(PENDING);
}

/** It is there, or another was taken in its place. */
export async function apiKeySecretArrived(query: Query): Promise<void> {
  await dropMeta(query, PREFIX + PENDING);
}
