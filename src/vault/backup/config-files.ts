import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError } from "#platform/lib/error.ts";
import type { ConfigPlaces } from "#platform/storage/config-copy.ts";
import { type FileReading, isSameReading, MOST_READINGS } from "#platform/storage/file-reading.ts";
import { type BackupEntry, entryName } from "./container/entries.ts";

const CERTIFICATES = ["claviger.crt", "claviger.key", "claviger.pfx", ".pfx_password"];

/**
 * What there is of the configuration file, `version`, `certs/` and `credentials/`, all of it from one moment: a key and
 * its certificate, or the files of a PIN, are worth nothing when they are of two writings. They are small, and read at
 * once. AppError `backup_busy` where they change all the time.
 */
export async function readConfigEntries(places: ConfigPlaces): Promise<BackupEntry[]> {
  let known = await readOnce(places);
  for (let reading = 1; reading < MOST_READINGS; reading++) {
    const again = await readOnce(places);
    if (isSameReading(again, known)) return [...again].map(([name, bytes]) => bytesEntry(name, bytes));
    known = again;
  }
  throw new AppError(
    "backup_busy",
    "The files of the configuration change all the time; try again when nothing writes them.",
  );
}

async function readOnce({ configDir, configFile }: ConfigPlaces): Promise<FileReading> {
  const credentials = (await namesIn(join(configDir, "credentials"))).sort();
  const files = [
    { name: "etc/claviger.yaml", path: configFile ?? join(configDir, "claviger.yaml") },
    { name: "etc/version", path: join(configDir, "version") },
    ...CERTIFICATES.map((name) => ({ name: `etc/certs/${name}`, path: join(configDir, "certs", name) })),
    ...credentials.map((name) => ({
      name: `etc/credentials/${name}`,
      path: join(configDir, "credentials", name),
    })),
  ];
  const found = new Map<string, Buffer>();
  for (const { name, path } of files) {
    const bytes = await readIfThere(path);
    if (bytes !== undefined) found.set(name, bytes);
  }
  return found;
}

/** A file of a backup whose content is in memory. */
export function bytesEntry(name: string, bytes: Uint8Array): BackupEntry {
  return { name: entryName(name), size: bytes.length, content: once(bytes) };
}

/** Permission bits of a restored file, by its name in the backup. */
export function modeOf(name: string): number {
  if (name === "etc/version" || name === "etc/certs/claviger.crt") return 0o644;
  const changes = name.startsWith("db/") || basename(name) === "claviger.yaml";
  return changes ? 0o600 : 0o400;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

/** Undefined also for what is no file: a pipe has no end, and would be waited for. */
async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return (await file.stat()).isFile() ? await file.readFile() : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
