import { createSecretKey, type KeyObject } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import { StartError } from "#platform/lib/error.ts";
import { syncDirectory, writeFileDurably } from "#platform/lib/file.ts";
import type { Random } from "#platform/lib/random.ts";

/** 43 characters of base64url and the newline. */
const FILE_BYTES = 44;
const MARK_TEXT =
  "The secrets in the database of this data directory open with the server key that was set.\n" +
  "This file is no secret. It stays here so that a lost database is not taken for a new one.\n";

/** The file that wraps the root key until an operator sets a passphrase. */
export function machineKeyPath(secretsDir: string): string {
  return join(secretsDir, "machine.key");
}

/** Makes the file (0400, its directory 0700): 32 random bytes in base64url and a newline, on disk when this returns. */
export async function createMachineKey(secretsDir: string, random: Random): Promise<KeyObject> {
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  await chmod(secretsDir, 0o700);
  await syncDirectory(dirname(secretsDir));
  const bytes = random.bytes(AEAD_KEY_BYTES);
  const text = Buffer.from(`${bytes.toString("base64url")}\n`, "latin1");
  try {
    await writeFileDurably(machineKeyPath(secretsDir), text, 0o400);
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
    text.fill(0);
  }
}

/**
 * The key in the file, or undefined when there is no file. StartError when it is a link or no file, when others
 * than its owner may touch it, or when it holds anything but one key.
 */
export async function readMachineKey(secretsDir: string): Promise<KeyObject | undefined> {
  const path = machineKeyPath(secretsDir);
  const handle = await openIfThere(path);
  if (handle === undefined) return undefined;
  try {
    await requirePrivateKeyFile(path, handle);
    return parse(path, await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** The word, in the place of the machine key, that a passphrase opens the database of this data directory. */
export function passphraseMarkPath(secretsDir: string): string {
  return join(secretsDir, "passphrase-set");
}

/** Writes it unless it is there: with neither it nor a machine key a database that was lost would look like none. */
export async function markPassphraseSet(secretsDir: string): Promise<void> {
  const path = passphraseMarkPath(secretsDir);
  const there = await openIfThere(path);
  if (there !== undefined) return there.close();
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  await writeFileDurably(path, Buffer.from(MARK_TEXT), 0o400);
}

/**
 * Overwrites the file where it lies, then removes it. It is moved out of `secrets` first: for as long as it can be
 * written its mode is not what a start demands of a file there, and a crash must not make the next start refuse.
 */
export async function destroyMachineKey(secretsDir: string, random: Random): Promise<void> {
  const doomed = join(dirname(secretsDir), "db", "machine.key.removing");
  await rename(machineKeyPath(secretsDir), doomed).catch(ignoreMissing);
  await syncDirectory(secretsDir);
  const there = await openIfThere(doomed);
  if (there === undefined) return;
  try {
    await there.chmod(0o600);
  } finally {
    await there.close();
  }
  await overwrite(doomed, random);
  await unlink(doomed);
  await syncDirectory(dirname(doomed));
}

async function overwrite(path: string, random: Random): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    await handle.writeFile(random.bytes(FILE_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new StartError(
      `${path} cannot be read (${error instanceof Error ? error.message : String(error)}). It must be a plain file of the server's user with mode 0400.`,
      { cause: error },
    );
  }
}

async function requirePrivateKeyFile(path: string, handle: FileHandle): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size !== FILE_BYTES) throw notAKey(path);
  if ((stats.mode & 0o077) !== 0) {
    throw new StartError(`Others than its owner may touch ${path}. Repair: chmod 0400 ${path}`);
  }
}

function parse(path: string, text: Buffer): KeyObject {
  const encoded = text.toString("latin1");
  const bytes = Buffer.from(encoded, "base64url");
  try {
    // The decoder skips what it does not know; only the one spelling of 32 bytes comes back the same.
    if (bytes.length !== AEAD_KEY_BYTES || `${bytes.toString("base64url")}\n` !== encoded)
      throw notAKey(path);
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
    text.fill(0);
  }
}

function notAKey(path: string): StartError {
  return new StartError(
    `${path} does not hold a machine key. Put the file back from a backup of the data directory, with mode 0400.`,
  );
}
