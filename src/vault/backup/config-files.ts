import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type BackupEntry, entryName } from "./container/entries.ts";

/** Where the configuration of a server lies. */
export interface ConfigPlaces {
  readonly configDir: string;
  /** Its `claviger.yaml`, wherever that is; undefined where there was none at the start. */
  readonly configFile: string | undefined;
}

const CERTIFICATES = ["claviger.crt", "claviger.key", "claviger.pfx", ".pfx_password"];

/** What there is of the configuration file, `version`, `certs/` and `credentials/`. They are small, and read at once. */
export async function readConfigEntries({ configDir, configFile }: ConfigPlaces): Promise<BackupEntry[]> {
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
  const entries: BackupEntry[] = [];
  for (const { name, path } of files) {
    const bytes = await readIfThere(path);
    if (bytes !== undefined) entries.push(bytesEntry(name, bytes));
  }
  return entries;
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

function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
