import { chmodSync, chownSync, lstatSync, realpathSync, type Stats } from "node:fs";
import { StartError } from "#platform/lib/error.ts";
import { type LayoutConfig, type LayoutEntry, layoutOf } from "./layout.ts";
import { quoteForShell } from "./shell-quote.ts";

/** Something Claviger made that is not as it made it. */
export interface WrongMode {
  readonly kind: "mode" | "owner" | "type";
  readonly path: string;
  /** In words of the shell: `0644`, `uid 1000`, `symbolic link`. */
  readonly found: string;
  readonly wanted: string;
  /** The shell line that leads to the wanted state. */
  readonly repair: string;
  /** Whether the server must not start; false for a cluster's credentials, which merely close the cluster's routes. */
  readonly stopsStart: boolean;
}

/**
 * Compares modes and owners with the layout. Files are to belong to `uid`, the user the server runs as; root
 * (`sudo claviger doctor`) checks against the owner of the data directory instead. Paths that are missing are right.
 */
export function checkModes(config: LayoutConfig, { uid }: { uid: number }): WrongMode[] {
  const owner = uid === 0 ? (statusOf(config.dataDir)?.uid ?? uid) : uid;
  return layoutOf(config).flatMap((entry) => {
    const status = statusOf(entry.path);
    return status === undefined ? [] : judge(entry, status, owner);
  });
}

/** Throws StartError (78) with every repair line when something must not stay as it is. */
export function refuseWrongModes(config: LayoutConfig, running: { uid: number }): void {
  const wrong = checkModes(config, running).filter(({ stopsStart }) => stopsStart);
  if (wrong.length === 0) return;
  const lines = wrong.map(({ path, found, wanted }) => `${path} is ${found}, must be ${wanted}`);
  throw new StartError([...lines, "Repair with:", ...wrong.map(({ repair }) => `  ${repair}`)].join("\n"));
}

/** Repairs modes and owners; returns what is still wrong: links and wrong types, and what the system refused. */
export function repairModes(config: LayoutConfig, running: { uid: number }): WrongMode[] {
  // A closed directory hides what is in it, so that each pass may uncover more below.
  for (let pass = 0; pass < 4; pass++) {
    const wrong = checkModes(config, running);
    if (!wrong.map((each) => repairOne(each)).includes(true)) return wrong;
  }
  return checkModes(config, running);
}

function judge(entry: LayoutEntry, status: Stats, owner: number): WrongMode[] {
  const { path, mode, credential } = entry;
  const word = quoteForShell(path);
  if (entry.type === "directory" ? !status.isDirectory() : !status.isFile()) {
    return [{ kind: "type", path, ...wrongType(entry, status), stopsStart: !credential }];
  }
  const wrong: WrongMode[] = [];
  if (!entry.ownerFree && status.uid !== owner) {
    const [found, wanted] = [`uid ${status.uid}`, `uid ${owner}`];
    wrong.push({
      kind: "owner",
      path,
      found,
      wanted,
      repair: `chown ${owner} ${word}`,
      stopsStart: !credential,
    });
  }
  const bits = status.mode & 0o777;
  if (bits !== mode) {
    const [found, wanted] = [octal(bits), octal(mode)];
    wrong.push({
      kind: "mode",
      path,
      found,
      wanted,
      repair: `chmod ${wanted} ${word}`,
      stopsStart: !credential,
    });
  }
  return wrong;
}

function wrongType(
  { path, type }: LayoutEntry,
  status: Stats,
): Pick<WrongMode, "found" | "wanted" | "repair"> {
  const word = quoteForShell(path);
  if (!status.isSymbolicLink()) {
    const found = status.isDirectory() ? "directory" : status.isFile() ? "file" : "special file";
    return { found, wanted: type, repair: `mv ${word} ${quoteForShell(`${path}.aside`)}` };
  }
  const target = targetOf(path);
  const bring = target === undefined ? "" : ` && mv ${quoteForShell(target)} ${word}`;
  return { found: "symbolic link", wanted: type, repair: `rm ${word}${bring}` };
}

function targetOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function repairOne({ kind, path, wanted }: WrongMode): boolean {
  if (kind === "type") return false;
  try {
    if (kind === "mode") chmodSync(path, Number.parseInt(wanted, 8));
    else chownSync(path, Number(wanted.slice("uid ".length)), -1);
    return true;
  } catch {
    return false;
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // Below a directory that is closed to us or no directory at all; that one is judged by itself.
    return undefined;
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
