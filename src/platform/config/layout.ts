import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import { systemErrorCode } from "./bounded-text.ts";
import { writeConfigVersion } from "./config-version.ts";
import type { ConfigDirRule } from "./directories.ts";
import { quoteForShell } from "./shell-quote.ts";

/** The part of the configuration that decides where things are. */
export interface LayoutConfig {
  readonly dataDir: string;
  readonly configDir: string;
  readonly configDirRule: ConfigDirRule;
}

export interface LayoutEntry {
  readonly path: string;
  readonly type: "directory" | "file";
  /** Permission bits. */
  readonly mode: number;
  /** Made at start when missing; the rest belongs to whoever makes it, and counts only once it exists. */
  readonly created: boolean;
  /** The configuration directory of the package belongs to root, so that the server cannot change it. */
  readonly ownerFree: boolean;
  /** What is wrong with a cluster's credentials closes the cluster's routes, not the whole server. */
  readonly credential: boolean;
}

/** Every directory and file Claviger made, or makes, with its mode; files as they exist at this moment. */
export function layoutOf({ dataDir, configDir, configDirRule }: LayoutConfig): LayoutEntry[] {
  const secrets = join(dataDir, "secrets");
  const credentials = join(configDir, "credentials");
  const ours = configDirRule === "package" || configDirRule === "data-dir";
  const packaged = configDirRule === "package";
  return [
    directory(dataDir, { created: true }),
    directory(join(dataDir, "db"), { created: true }),
    directory(secrets, { created: true }),
    directory(join(dataDir, "run"), { created: true }),
    ...filesIn(secrets).map((path) => file(path, 0o400)),
    // A directory the operator named may be a mount or a checkout: not made here, so not judged here.
    ...(ours
      ? [directory(configDir, { created: !packaged, ownerFree: packaged, mode: packaged ? 0o750 : 0o700 })]
      : []),
    directory(credentials, { credential: true }),
    ...filesIn(credentials).map((path) => ({ ...file(path, 0o400), credential: true })),
    ...CERTIFICATE_FILES.map(([name, mode]) => file(join(configDir, "certs", name), mode)),
  ];
}

/**
 * Makes the directories that are missing. A data directory without a store in it is fresh: what the operator
 * prepared (`mkdir`, a volume, `etc/`) is taken over with the right mode. StartError when that cannot be: 73 when the system
 * refuses, 78 when the directory is none to take.
 */
export function createLayout(config: LayoutConfig): void {
  try {
    refuseForeignDirectory(config);
    const fresh = lstatSync(join(config.dataDir, "db"), { throwIfNoEntry: false }) === undefined;
    for (const { path, mode, created } of layoutOf(config)) {
      if (created) makeDirectory(path, mode, fresh);
    }
    const made = makeNamedConfigDir(config);
    // A directory that others made may be a checkout or a mount without writing; there the version is theirs to write.
    if (made || config.configDirRule === "data-dir") writeConfigVersion(config.configDir);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const reason = cause instanceof Error ? cause.message : "";
    throw new StartError(`the data directory ${config.dataDir} cannot be set up: ${reason}`, {
      exitCode: EXIT_CANTCREAT,
      cause,
    });
  }
}

const EXIT_CANTCREAT = 73;

const CERTIFICATE_FILES = [
  ["claviger.crt", 0o644],
  ["claviger.key", 0o400],
  ["claviger.pfx", 0o400],
  [".pfx_password", 0o400],
] as const;

const OWN_NAMES = ["db", "secrets", "run", "etc", "lost+found"];

/** Someone's home given by mistake must not be closed to mode 0700, nor `/`. */
function refuseForeignDirectory({ dataDir }: LayoutConfig): void {
  if (lstatSync(dataDir, { throwIfNoEntry: false }) === undefined) return;
  const status = lstatSync(dataDir);
  if (status.isSymbolicLink()) {
    const target = quoteForShell(realpathSync(dataDir));
    throw new StartError(
      `the data directory ${dataDir} is a symbolic link; name its target: --data-dir ${target}`,
    );
  }
  const names = readdirSync(dataDir);
  if ((status.mode & 0o777) === 0o700 || names.includes("db")) return;
  if (names.every((name) => OWN_NAMES.includes(name) || /\.ya?ml$/.test(name))) return;
  throw new StartError(
    `${dataDir} holds other files, no store, and is open to others, so it is not taken as the data directory; ` +
      `name an empty one, or if this is it: chmod 0700 ${quoteForShell(dataDir)}`,
  );
}

function makeNamedConfigDir({ configDir, configDirRule }: LayoutConfig): boolean {
  if (configDirRule !== "flag" && configDirRule !== "environment") return false;
  const missing = lstatSync(configDir, { throwIfNoEntry: false }) === undefined;
  if (missing) makeDirectory(configDir, 0o700, false);
  return missing;
}

function makeDirectory(path: string, mode: number, takeOver: boolean): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) makePath(path, mode);
  else if (!takeOver || !status.isDirectory()) return;
  // The umask may have taken bits from mkdir's mode.
  if (((status ?? lstatSync(path)).mode & 0o777) !== mode) chmodSync(path, mode);
}

/** `recursive` would try without end where a parent is there but takes no directory (/proc). */
function makePath(path: string, mode: number): void {
  const parent = dirname(path);
  if (lstatSync(parent, { throwIfNoEntry: false }) === undefined) makePath(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

function directory(path: string, own: Partial<LayoutEntry>): LayoutEntry {
  return {
    path,
    type: "directory",
    mode: 0o700,
    created: false,
    ownerFree: false,
    credential: false,
    ...own,
  };
}

function file(path: string, mode: number): LayoutEntry {
  return { path, type: "file", mode, created: false, ownerFree: false, credential: false };
}

function filesIn(path: string): string[] {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    // Unreadable: the directory's own entry says so.
    return [];
  }
}
