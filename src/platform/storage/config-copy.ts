import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { syncPath } from "#platform/lib/file.ts";
import { type FileReading, isSameReading, MOST_READINGS } from "./file-reading.ts";

/** Where the configuration of a server lies. */
export interface ConfigPlaces {
  readonly configDir: string;
  /** Its `claviger.yaml`, wherever that is; undefined where there was none at the start. */
  readonly configFile: string | undefined;
}

/** One file of the configuration, and where it goes in the copy. */
interface ConfigFile {
  readonly from: string;
  /** `certs/claviger.key`. */
  readonly name: string;
  readonly status: Stats;
  /** A link to somewhere else: kept as a link, and not read. */
  readonly leadsOut: boolean;
}

/** Besides the files that lie in the directory itself. */
const FOLDERS = ["certs", "credentials"];
/** What a file of a few bytes takes of a disk. */
const BLOCK_BYTES = 4096;

/** Bytes that a copy of the configuration takes, a little more than less. */
export function configBytes(places: ConfigPlaces): number {
  const sizes = configFiles(places).map(
    ({ status }) => Math.ceil(status.size / BLOCK_BYTES + 1) * BLOCK_BYTES,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Copies `claviger.yaml`, `version`, `certs/` and `credentials/`, what there is of them, to the new directory `copy`
 * (0700, with files of 0600 or 0400), all of it as it was at one moment, and reads the copy again; only then has it that
 * name. A link that leads out of the configuration directory is not followed: the copy has a link to the same file.
 * Throws what the system says, and Error where the files change all the time.
 */
export function copyConfig(places: ConfigPlaces, copy: string): void {
  const draft = `${copy}.new`;
  try {
    mkdirSync(draft, { mode: 0o700 });
    const { files, contents } = readConfig(places);
    for (const file of files) copyFile(file, contents.get(file.name), draft);
    for (const folder of FOLDERS.map((name) => join(draft, name))) if (existsSync(folder)) syncPath(folder);
    syncPath(draft);
    renameSync(draft, copy);
    syncPath(dirname(copy));
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Files, and what is in those that are copied. */
interface ConfigReading {
  readonly files: readonly ConfigFile[];
  readonly contents: FileReading;
}

function readConfig(places: ConfigPlaces): ConfigReading {
  let known: ConfigReading | undefined;
  for (let reading = 0; reading < MOST_READINGS; reading++) {
    const again = readOnce(places);
    if (known && again && isSameReading(again.contents, known.contents)) return again;
    known = again;
  }
  throw new Error(`${places.configDir} changes all the time`);
}

/** Undefined where a file was there and is gone. */
function readOnce(places: ConfigPlaces): ConfigReading | undefined {
  try {
    const files = configFiles(places);
    const inside = files.filter(({ leadsOut }) => !leadsOut);
    return { files, contents: new Map(inside.map(({ name, from }) => [name, readFileSync(from)])) };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function copyFile({ from, name, status }: ConfigFile, bytes: Buffer | undefined, draft: string): void {
  const to = join(draft, name);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  if (bytes === undefined) return symlinkSync(from, to);
  writeFileSync(to, bytes, { mode: 0o600, flag: "wx" });
  syncPath(to);
  // For nobody but the owner, who has to be able to read it.
  chmodSync(to, (status.mode & 0o600) | 0o400);
  if (!readFileSync(to).equals(bytes)) throw new Error(`the copy of ${from} differs from it`);
}

function configFiles({ configDir, configFile }: ConfigPlaces): ConfigFile[] {
  const named = configFile ?? join(configDir, "claviger.yaml");
  const places = [
    // Whoever named it has said where it is; that may be anywhere.
    {
      path: named,
      name: "claviger.yaml",
      anywhere: configFile !== undefined && dirname(named) !== configDir,
    },
    { path: join(configDir, "version"), name: "version", anywhere: false },
    ...FOLDERS.flatMap((folder) =>
      namesIn(join(configDir, folder)).map((name) => ({
        path: join(configDir, folder, name),
        name: join(folder, name),
        anywhere: false,
      })),
    ),
  ];
  return places.flatMap(({ path, name, anywhere }) => {
    if (!existsSync(path)) return [];
    const from = realpathSync(path);
    const status = statSync(from);
    // Of a pipe nothing is left to read.
    if (!status.isFile()) return [];
    return [{ from, name, status, leadsOut: !anywhere && !isBelow(from, configDir) }];
  });
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(realpathSync(directory) + sep);
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
