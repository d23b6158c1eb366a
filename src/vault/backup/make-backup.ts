import { createReadStream, readdirSync, rmSync, statfsSync, statSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { VERSION } from "#platform/lib/version.ts";
import type { ConfigPlaces } from "#platform/storage/config-copy.ts";
import { readMeta } from "#platform/storage/meta.ts";
import { copyStore, storeBytes } from "#platform/storage/store-copy.ts";
import { openStoreFile } from "#platform/storage/store-file.ts";
import { bytesEntry, readConfigEntries } from "./config-files.ts";
import { writeContainer } from "./container/container.ts";
import {
  API_KEY_SECRET_ENTRY,
  type BackupEntry,
  MACHINE_KEY_ENTRY,
  STORE_ENTRY,
} from "./container/entries.ts";
import type { BackupFacts } from "./container/header.ts";
import { serverKeyOf } from "./restored-store.ts";

const PASSWORD_COST: Argon2Parameters = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };
const PASSWORD_CHARACTERS = 12;
const PASSWORD_BYTES = 4096;
const COPY_NAME = /^backup-[0-9a-f]{16}\.sqlite(-journal)?$/;
const SPARE_BYTES = 1024 * 1024;

/** What a backup is made of. */
export interface BackupParts {
  readonly dataDir: string;
  readonly config: ConfigPlaces;
  /** `API_KEY_SECRET`, as it is in force. */
  readonly apiKeySecret: () => Secret;
  readonly clock: Clock;
  readonly random: Random;
  /** What a password of a backup costs to try: 64 MiB and 3 passes unless given. */
  readonly cost?: Argon2Parameters | undefined;
}

export interface BackupWanted {
  readonly password: Secret | undefined;
  /** Whether the configuration directory is to be in it; that needs a password. */
  readonly withConfig: boolean;
}

/** A copy of the store on the disk, and how to give it out; it is removed when this is disposed of. */
export interface PreparedBackup extends AsyncDisposable {
  readonly facts: BackupFacts;
  /** The backup, piece by piece, once. */
  stream(): AsyncGenerator<Uint8Array>;
}

/**
 * Copies the store as it is now. AppError `bad_request` for a password of a wrong length, `password_required` when what is in it would be readable without one,
 * `storage_full` when there is no room for the copy.
 */
export async function prepareBackup(parts: BackupParts, wanted: BackupWanted): Promise<PreparedBackup> {
  const { dataDir, clock, random } = parts;
  if (wanted.password !== undefined) requireLength(wanted.password);
  if (wanted.withConfig && wanted.password === undefined)
    throw new AppError(
      "password_required",
      "The files of the configuration need a password over the backup.",
    );
  refuseFullDisk(dataDir);
  const path = join(dataDir, "db", `backup-${random.bytes(8).toString("hex")}.sqlite`);
  const remove = () => rm(path, { force: true });
  try {
    // Read first: a server key that is set meanwhile removes it, and the copy then says that it is not needed.
    const machineKey = await readMachineKey(dataDir);
    const created = toTimestamp(clock.now());
    await copyStore(dataDir, path);
    const facts = { ...(await readFacts(path)), created, with_config: wanted.withConfig };
    const bare = facts.server_key === "uninitialized";
    if (bare && wanted.password === undefined) throw new AppError("password_required");
    const secrets = bare ? secretEntries(machineKey, parts.apiKeySecret()) : [];
    const config = wanted.withConfig ? await readConfigEntries(parts.config) : [];
    const entries = [...secrets, ...config, storeEntry(path)];
    const using = { random, cost: parts.cost ?? PASSWORD_COST, password: wanted.password };
    return {
      facts,
      stream: () => writeContainer({ facts, entries }, using),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Removes all copies. Under the lock of the directory, while none is read. */
export function discardCopies(dataDir: string): void {
  const directory = join(dataDir, "db");
  for (const name of readdirSync(directory)) if (COPY_NAME.test(name)) rmSync(join(directory, name));
}

/** As the server key's: a stolen backup can be tried without end. */
function requireLength(password: Secret): void {
  const text = password.expose();
  if ([...text].length >= PASSWORD_CHARACTERS && Buffer.byteLength(text) <= PASSWORD_BYTES) return;
  throw new AppError(
    "bad_request",
    `A backup's password has ${PASSWORD_CHARACTERS} characters at least and ${PASSWORD_BYTES} bytes at most.`,
  );
}

/** As much again is left for what goes on meanwhile, which the write-ahead log holds. */
function refuseFullDisk(dataDir: string): void {
  const { bavail, bsize } = statfsSync(dataDir);
  const needed = 2 * storeBytes(dataDir) + SPARE_BYTES;
  if (bavail * bsize >= needed) return;
  const detail = `a backup needs ${needed} free bytes in ${dataDir} and finds ${bavail * bsize}`;
  throw new AppError("storage_full", undefined, { detail });
}

async function readFacts(path: string): Promise<Omit<BackupFacts, "created" | "with_config">> {
  using store = openStoreFile(path, { readOnly: true });
  return {
    server_version: VERSION,
    store_version: store.version,
    node_id: (await readMeta(store.query, "node.")).get("id") ?? "",
    server_key: await serverKeyOf(store),
  };
}

function secretEntries(machineKey: Buffer | undefined, apiKeySecret: Secret): BackupEntry[] {
  if (machineKey === undefined)
    throw new AppError("internal", undefined, { detail: "the machine key is not there to be backed up" });
  return [
    bytesEntry(MACHINE_KEY_ENTRY, machineKey),
    bytesEntry(API_KEY_SECRET_ENTRY, Buffer.from(apiKeySecret.expose())),
  ];
}

/** It is opened when its turn has come, and read piece by piece. */
function storeEntry(path: string): BackupEntry {
  const content = async function* () {
    yield* createReadStream(path);
  };
  return { name: STORE_ENTRY, size: statSync(path).size, content: content() };
}

async function readMachineKey(dataDir: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(dataDir, MACHINE_KEY_ENTRY));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
