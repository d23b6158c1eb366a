import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { leaveAuditNote } from "#gates/audit/index.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import { fingerprint } from "#platform/lib/fingerprint.ts";
import { Secret } from "#platform/lib/secret.ts";
import { readMeta } from "#platform/storage/meta.ts";
import {
  commitReplacement,
  discardStaged,
  finishReplacement,
  stageReplacement,
} from "#platform/storage/replacement.ts";
import { openStoreFile } from "#platform/storage/store-file.ts";
import type { OpenedContainer } from "./container/container.ts";
import { API_KEY_SECRET_ENTRY, MACHINE_KEY_ENTRY, STORE_ENTRY } from "./container/entries.ts";
import type { BackupFacts } from "./container/header.ts";
import { markRestored } from "./restored-store.ts";
import { unpackBackup } from "./unpack.ts";

/** Where the next start finds what it has to audit. */
const AUDIT_NOTES = "db/audit.notes";
const EXIT_CANTCREAT = 73;
/** To which files are restored. */
const CREDENTIALS = "etc/credentials";
const MADE_DIRECTORIES = ["db", "secrets", "etc", "etc/certs", CREDENTIALS];

export interface RestoreParts {
  /** It exists, is this process's alone, and nothing in it is open. */
  readonly dataDir: string;
  /** Where configuration in the backup goes: `etc/`, or beside it, where the place it belongs to is not ours to write. */
  readonly config: "in-place" | "aside";
  readonly clock: Clock;
  /** The one of the data directory, under which the next start believes what is left for it to audit. */
  readonly auditSecret: () => Secret;
  /** Whether every API key in it is revoked. */
  readonly revokeKeys: boolean;
}

/** What a restore did; all paths are below the data directory. */
export interface Restored {
  readonly restored: readonly string[];
  /** The directory that holds what was there before; undefined where nothing was. */
  readonly aside: string | undefined;
  /** The directory that holds configuration which its operator is to put in place; undefined where there is none. */
  readonly config: string | undefined;
}

/**
 * Checks a whole backup, then puts it in the place of what a data directory holds: all of it or, upon an error or a
 * crash, nothing. What was there is kept aside. Throws BackupProblem, or what the system says where it cannot write.
 */
export async function restoreBackup(
  container: OpenedContainer,
  password: Secret | undefined,
  parts: RestoreParts,
): Promise<Restored> {
  const { dataDir, clock } = parts;
  refuseOtherFilesystems(dataDir);
  finishReplacement(dataDir);
  const stamp = toTimestamp(clock.now()).replace(/[-:.]/g, "");
  try {
    const files = stageReplacement(dataDir);
    const names = await unpackBackup(container, password, files);
    const store = join(files, STORE_ENTRY);
    await markRestored(store, { facts: container.header, nowMs: clock.now(), revokeKeys: parts.revokeKeys });
    noteInAudit(files, container.header, parts);
    const config = parts.config === "aside" && names.some(isConfig) ? `restore/config-${stamp}` : undefined;
    if (config !== undefined) moveConfig(files, config);
    const incoming = [...names.map((name) => placeOf(name, config)), AUDIT_NOTES];
    const leaving = await leavingFor(dataDir, incoming, files);
    const aside = `restore/replaced-${stamp}`;
    giveToOwner(dataDir);
    commitReplacement(dataDir, { incoming, leaving, aside });
    finishReplacement(dataDir);
    giveToOwner(dataDir);
    return {
      restored: names.map((name) => placeOf(name, config)),
      aside: leaving.length > 0 ? aside : undefined,
      config,
    };
  } catch (error) {
    discardStaged(dataDir);
    throw error;
  }
}

/** Renames do not cross file systems, and a copy would not be whole or absent. */
function refuseOtherFilesystems(dataDir: string): void {
  const own = statSync(dataDir).dev;
  for (const path of MADE_DIRECTORIES.map((name) => join(dataDir, name)))
    if (existsSync(path) && statSync(path).dev !== own)
      throw new StartError(
        `${path} is on another file system than ${dataDir}, so it cannot be replaced at once.`,
        {
          exitCode: EXIT_CANTCREAT,
        },
      );
}

/** What is there and must go: the old store with its logs, what comes anew, and secrets that are not the new store's. */
async function leavingFor(dataDir: string, incoming: readonly string[], files: string): Promise<string[]> {
  const logs = ["-wal", "-shm", "-journal"].map((end) => STORE_ENTRY + end);
  const marks = incoming.includes(MACHINE_KEY_ENTRY) ? ["secrets/passphrase-set"] : [];
  const secret = (await isSecretOf(join(files, STORE_ENTRY), dataDir)) ? [] : [API_KEY_SECRET_ENTRY];
  const credentials = incoming.some(isCredential) ? credentialsIn(dataDir) : [];
  const own = [STORE_ENTRY, ...logs, MACHINE_KEY_ENTRY, ...marks, ...secret, ...credentials];
  const leaving = new Set([...own, ...incoming]);
  const isThere = (path: string) => existsSync(join(dataDir, path));
  const isSame = (path: string) => isConfig(path) && haveSameBytes(join(dataDir, path), join(files, path));
  return [...leaving].filter((path) => isThere(path) && !isSame(path));
}

/** They hold together, and a writing that was cut off goes on where its drafts are: nothing of others may stay. */
function credentialsIn(dataDir: string): string[] {
  const directory = join(dataDir, CREDENTIALS);
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return files.map(({ name }) => `${CREDENTIALS}/${name}`);
}

function isCredential(name: string): boolean {
  return name.startsWith(`${CREDENTIALS}/`);
}

/** Whether the API_KEY_SECRET in the directory is the one the store was used with: clients' keys then need no unlock. */
async function isSecretOf(storePath: string, dataDir: string): Promise<boolean> {
  const path = join(dataDir, API_KEY_SECRET_ENTRY);
  if (!existsSync(path)) return false;
  using store = openStoreFile(storePath, { readOnly: true });
  const known = (await readMeta(store.query, "fingerprint.")).get("API_KEY_SECRET");
  const text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
  return known === fingerprint("API_KEY_SECRET", new Secret(text));
}

/** Behind what other commands have left for the next start. */
function noteInAudit(
  files: string,
  { created }: BackupFacts,
  { dataDir, clock, auditSecret }: RestoreParts,
): void {
  const earlier = join(dataDir, AUDIT_NOTES);
  if (existsSync(earlier)) copyFileSync(earlier, join(files, AUDIT_NOTES));
  const local = { time: clock.now(), actor: "local", address: null, requestId: null, count: 1 };
  const done = { action: "key.restore", target: `backup of ${created}`, outcome: "success" } as const;
  leaveAuditNote(files, auditSecret(), { ...local, ...done, restored: true });
}

function haveSameBytes(there: string, coming: string): boolean {
  return existsSync(coming) && readFileSync(there).equals(readFileSync(coming));
}

function isConfig(name: string): boolean {
  return name.startsWith("etc/");
}

function placeOf(name: string, config: string | undefined): string {
  return config !== undefined && isConfig(name) ? `${config}/${name.slice("etc/".length)}` : name;
}

function moveConfig(files: string, config: string): void {
  mkdirSync(dirname(join(files, config)), { recursive: true, mode: 0o700 });
  renameSync(join(files, "etc"), join(files, config));
}

/** Root restores for the user the server runs as, who is the one to finish where this process could not. */
function giveToOwner(dataDir: string): void {
  const { uid, gid } = statSync(dataDir);
  if (process.getuid?.() !== 0 || uid === 0) return;
  const give = (path: string, deep: boolean) => {
    if (!existsSync(path)) return;
    chownSync(path, uid, gid);
    if (deep && statSync(path).isDirectory())
      for (const name of readdirSync(path)) give(join(path, name), deep);
  };
  for (const name of ["restore", "db", "secrets"]) give(join(dataDir, name), true);
  for (const name of MADE_DIRECTORIES) give(join(dataDir, name), false);
}
