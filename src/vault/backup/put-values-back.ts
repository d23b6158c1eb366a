import { join } from "node:path";
import type { Secret } from "#platform/lib/secret.ts";
import { discardStaged, finishReplacement, stageReplacement } from "#platform/storage/replacement.ts";
import { openStoreFile, type StoreFile, verifyStoreFile } from "#platform/storage/store-file.ts";
import { putBytes } from "#platform/storage/stored-bytes.ts";
import type { SealedColumn } from "#vault/seal/index.ts";
import type { OpenedContainer } from "./container/container.ts";
import { STORE_ENTRY } from "./container/entries.ts";
import { serverKeyOf } from "./restored-store.ts";
import { unpackBackup } from "./unpack.ts";
import { findValues, type KeptValue, type ValueName } from "./value-in-backup.ts";

/** Into which store, and with what. */
export interface PutBackParts {
  /** It holds a store, is this process's alone, and nothing in it is open. */
  readonly dataDir: string;
  /** Where there are sealed values in a store. */
  readonly sealed: readonly SealedColumn[];
  /** Writes down that it is done; just before it is, so that nothing is done that is written nowhere. */
  readonly record: () => void;
}

/** What was put back. */
export interface PutBack {
  readonly values: readonly (ValueName & {
    /** False where the store held the very bytes already. */
    readonly changed: boolean;
  })[];
  /** The fingerprint of the store's server key, or `uninitialized`. */
  readonly serverKey: string;
}

/**
 * Checks a whole backup, then puts single sealed values of it, and nothing else of their rows, into the store of a data
 * directory: all of them in one transaction or, upon an error or a crash, none. Throws BackupProblem, StartError where
 * the store itself is damaged, or what the system says where it cannot write.
 */
export async function putValuesBack(
  container: OpenedContainer,
  password: Secret | undefined,
  wanted: readonly ValueName[],
  { dataDir, sealed, record }: PutBackParts,
): Promise<PutBack> {
  finishReplacement(dataDir);
  const path = join(dataDir, STORE_ENTRY);
  await verifyStoreFile(path);
  // Before anything can be refused: a look at the store leaves files beside it that closing this one removes.
  using store = openStoreFile(path, { readOnly: false });
  try {
    // Where the next start clears away what a killed command leaves.
    const files = stageReplacement(dataDir);
    await unpackBackup(container, password, files);
    using backup = openStoreFile(join(files, STORE_ENTRY), { readOnly: true });
    const values = await findValues({ store, backup, sealed }, wanted);
    await putAll(store, values, record);
    return {
      values: values.map(({ name, changed }) => ({ ...name, changed })),
      serverKey: await serverKeyOf(store),
    };
  } finally {
    discardStaged(dataDir);
  }
}

async function putAll(store: StoreFile, values: readonly KeptValue[], record: () => void): Promise<void> {
  await store.transaction(async (query) => {
    for (const { at, name, bytes } of values) await putBytes(query, at, name.id, bytes);
    record();
  });
}
