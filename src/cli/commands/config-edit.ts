import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readBoundedText, systemErrorCode } from "#platform/config/bounded-text.ts";
import { pathExists, resolveDirectories } from "#platform/config/directories.ts";
import { loadConfig } from "#platform/config/load.ts";
import { ConfigProblems, type Problem } from "#platform/config/problems.ts";
import { setInYaml } from "#platform/config/yaml-edit.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";

const FILE_BYTES = 1048576;
const NEW_FILE_MODE = 0o644;

/** Where a command was told that the files lie. */
export interface Places {
  readonly dataDir?: string;
  readonly configDir?: string;
}

/** A value, which is JSON, for a key in one of the sections of `claviger.yaml`. */
export interface ConfigEntry {
  readonly section: "settings" | "resources";
  readonly key: string;
  readonly value: unknown;
}

/**
 * Sets the entries in `claviger.yaml`, the rest of which stays as it is to the byte. The file as it would become is
 * checked whole before it takes the place of the old one, with its mode and owner. Gives the file and the configuration
 * as it is now. Nothing is changed when it throws: ConfigProblems, CliError 1 for a form that cannot be edited, 73, 78.
 */
export async function setInConfigFile(
  context: CommandContext,
  entries: readonly ConfigEntry[],
  flags: Places,
) {
  const problems: Problem[] = [];
  const { configDir } = resolveDirectories({ flags, env: context.env, homeDir: context.homeDir }, problems);
  if (problems.length > 0) throw new ConfigProblems(problems);
  const named = join(configDir, "claviger.yaml");
  const path = pathExists(named) ? realpathSync(named) : named;
  const before = readBoundedText(path, FILE_BYTES);
  if (before.kind === "unreadable")
    throw new CliError(`${path} ${before.reason}`, { exitCode: EXIT.configuration });
  let text = before.kind === "text" ? before.text : "";
  for (const entry of entries) {
    const edited = setInYaml(text, entry);
    if (edited === undefined)
      throw new CliError(`${path} has a form in which this cannot be set; write it there yourself`, {
        exitCode: EXIT.failed,
        repair: `claviger config check ${path}`,
      });
    text = edited;
  }
  return { path, config: await replaceChecked(context, { path, text, flags }) };
}

/** Puts the text in the place of the file and gives what it says. Nothing is changed when it throws. */
async function replaceChecked(
  { env, homeDir }: CommandContext,
  change: { path: string; text: string; flags: Places },
) {
  const { path, text, flags } = change;
  const { readDeclared } = await import("../../app/declared/declared.ts");
  const beside = `${path}.new`;
  try {
    writeBeside(beside, text, path);
    const config = loadConfig({ flags: { ...flags, config: beside }, env, homeDir, resources: readDeclared });
    renameSync(beside, path);
    return config;
  } catch (error) {
    rmSync(beside, { force: true });
    if (error instanceof ConfigProblems)
      throw new ConfigProblems(
        error.problems.map((problem) => (problem.file === beside ? { ...problem, file: path } : problem)),
      );
    throw new CliError(`${path} cannot be written (${systemErrorCode(error)})`, {
      exitCode: EXIT.cannotCreate,
      cause: error,
    });
  }
}

function writeBeside(beside: string, text: string, path: string): void {
  const old = statSync(path, { throwIfNoEntry: false });
  const mode = old === undefined ? NEW_FILE_MODE : old.mode & 0o777;
  // One that was left by a command that was killed.
  rmSync(beside, { force: true });
  const descriptor = openSync(beside, "wx", mode);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (old === undefined) return;
  const made = statSync(beside);
  if (made.uid !== old.uid || made.gid !== old.gid) chownSync(beside, old.uid, old.gid);
  // The umask may have taken bits, and a change of owner some others.
  chmodSync(beside, mode);
}
