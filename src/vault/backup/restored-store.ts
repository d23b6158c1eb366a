import * as z from "zod";
import { toTimestamp } from "#platform/lib/clock.ts";
import type { Query } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";
import { openStoreFile } from "#platform/storage/store-file.ts";
import type { BackupFacts } from "./container/header.ts";
import { dropMeta } from "./store.ts";

const PREFIX = "restore.";
const NOTE = "note";
const PENDING = "api_key_secret";

const noteSchema = z.strictObject({
  /** When it was restored, and when the backup was made. */
  restored: z.string(),
  created: z.string(),
});
type RestoreNote = z.infer<typeof noteSchema>;

/**
 * Makes a store ready to be started from a backup: what the old JWT_SECRET signed holds no more, whichever the new one
 * is; the restore is to be audited at the next start; and the API_KEY_SECRET comes with the first unlock.
 */
export async function markRestored(
  path: string,
  how: { facts: BackupFacts; nowMs: number; more: ((query: Query) => Promise<void>) | undefined },
): Promise<void> {
  using store = openStoreFile(path, { readOnly: false });
  const note: RestoreNote = { restored: toTimestamp(how.nowMs), created: how.facts.created };
  await store.transaction(async (query) => {
    await dropMeta(query, "fingerprint.JWT_SECRET");
    await writeMeta(query, PREFIX, new Map([[NOTE, JSON.stringify(note)]]));
    if (how.facts.server_key !== "uninitialized")
      await writeMeta(query, PREFIX, new Map([[PENDING, "travels in the store"]]));
    await how.more?.(query);
  });
}

/** The restore that this store comes from, once: whoever takes it writes it down in the same transaction. */
export async function takeRestoreNote(query: Query): Promise<RestoreNote | undefined> {
  const text = (await readMeta(query, PREFIX)).get(NOTE);
  if (text === undefined) return undefined;
  await dropMeta(query, PREFIX + NOTE);
  return noteSchema.parse(JSON.parse(text));
}

/** Whether the store waits for the unlock that brings the API_KEY_SECRET of its backup. */
export async function awaitsApiKeySecret(query: Query): Promise<boolean> {
  return (await readMeta(query, PREFIX)).has(PENDING);
}

/** It is there, or another was taken in its place. */
export async function apiKeySecretArrived(query: Query): Promise<void> {
  await dropMeta(query, PREFIX + PENDING);
}
