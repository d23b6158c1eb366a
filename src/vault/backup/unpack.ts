import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { openStoreFile, STORE_VERSION, verifyStoreFile } from "#platform/storage/store-file.ts";
import { modeOf } from "./config-files.ts";
import type { OpenedContainer } from "./container/container.ts";
import {
  API_KEY_SECRET_ENTRY,
  type BackupEntry,
  MACHINE_KEY_ENTRY,
  STORE_ENTRY,
} from "./container/entries.ts";
import type { BackupFacts } from "./container/header.ts";
import { BackupProblem, damaged } from "./container/problem.ts";
import { serverKeyOf } from "./restored-store.ts";

/**
 * Writes everything in a backup below `directory` and proves all of it: that the file is whole, and that the store in
 * it is sound, of a version this program knows, and the one that the header tells of. Gives the names. BackupProblem
 * says what is wrong; what is in the directory then is of no use.
 */
export async function unpackBackup(
  container: OpenedContainer,
  password: Secret | undefined,
  directory: string,
): Promise<readonly string[]> {
  const { header } = container;
  if (header.store_version > STORE_VERSION) throw newerStore(header);
  const names: string[] = [];
  for await (const entry of container.entries(password)) {
    await writeEntry(entry, join(directory, entry.name));
    names.push(entry.name);
  }
  requireNames(names, header);
  await verifyStore(join(directory, STORE_ENTRY), header);
  return names;
}

function newerStore({ store_version: version, server_version: server }: BackupFacts): BackupProblem {
  return new BackupProblem(
    "newer",
    `the store in the backup has version ${version}, of Claviger ${server}; this program knows versions up to ${STORE_VERSION}`,
  );
}

async function writeEntry(entry: BackupEntry, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const mode = modeOf(entry.name);
  const file = await open(path, "wx", mode);
  try {
    // The umask may have taken bits from the mode given to open().
    await file.chmod(mode);
    for await (const part of entry.content) await file.writeFile(part);
  } finally {
    await file.close();
  }
}

/** A store without a server key is nothing without these two; with one, a machine key would open what it must not. */
function requireNames(names: readonly string[], { server_key: serverKey }: BackupFacts): void {
  const bare = serverKey === "uninitialized";
  const secrets = [MACHINE_KEY_ENTRY, API_KEY_SECRET_ENTRY].map((name) => names.includes(name) === bare);
  if (!names.includes(STORE_ENTRY) || secrets.includes(false)) throw damaged("the files in it");
}

async function verifyStore(path: string, header: BackupFacts): Promise<void> {
  try {
    await verifyStoreFile(path);
    using store = openStoreFile(path, { readOnly: true });
    const serverKey = await serverKeyOf(store);
    if (store.version !== header.store_version || serverKey !== header.server_key)
      throw damaged("its header does not fit its store");
  } catch (error) {
    if (error instanceof BackupProblem) throw error;
    throw damaged(error instanceof StartError ? error.message : "its store", error);
  }
}
