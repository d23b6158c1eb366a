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
import { readText } from "#platform/config/setting-value.ts";
import { SETTINGS, type SettingKey } from "#platform/config/settings.ts";
import { suggestion } from "#platform/config/suggestion.ts";
import { setInYaml } from "#platform/config/yaml-edit.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";

const FILE_BYTES = 1048576;
const NEW_FILE_MODE = 0o644;

interface Places {
  readonly dataDir?: string;
  readonly configDir?: string;
}

/**
 * `claviger config set settings.NAME VALUE`. The file as it would become is checked whole before it takes the place of
 * the old one, with its mode and owner; a list is written with commas. 2 when the value is refused, 78 when the file
 * would have a problem.
 */
export async function setInConfig(
  context: CommandContext,
  given: { readonly name: string; readonly text: string },
  flags: Places,
): Promise<void> {
  const problems: Problem[] = [];
  const { configDir } = resolveDirectories({ flags, env: context.env, homeDir: context.homeDir }, problems);
  if (problems.length > 0) throw new ConfigProblems(problems);
  const { key, value } = readGiven(given);
  const named = join(configDir, "claviger.yaml");
  const path = pathExists(named) ? realpathSync(named) : named;
  const before = readBoundedText(path, FILE_BYTES);
  if (before.kind === "unreadable")
    throw new CliError(`${path} ${before.reason}`, { exitCode: EXIT.configuration });
  const text = setInYaml(before.kind === "text" ? before.text : "", { section: "settings", key, value });
  if (text === undefined)
    throw new CliError(`${path} has a form in which this cannot be set; write it there yourself`, {
      exitCode: EXIT.failed,
      repair: `claviger config check ${path}`,
    });
  const origin = await replaceChecked(context, { path, text, key, flags });
  const output = context.output();
  if (origin !== "file") output.note(`the ${origin} sets ${key} too, and beats the file`);
  output.result({ file: path, setting: key, value }, () => `${path}: ${key} is set`);
}

function readGiven({ name, text }: { name: string; text: string }): { key: SettingKey; value: unknown } {
  const key = name.replace(/^settings\./, "");
  const setting = SETTINGS.find((known) => known.key === key);
  if (setting === undefined) {
    const keys = SETTINGS.map((known) => known.key);
    throw new CliError(`there is no setting of this name${suggestion(key, keys)}`, { exitCode: EXIT.usage });
  }
  const read = readText(setting, text, setting.key);
  if (!read.ok) throw new CliError(read.message, { exitCode: EXIT.refusedValue });
  return { key: setting.key, value: read.value };
}

/** Puts the text in the place of the file and gives what sets the setting now. Nothing is changed when it throws. */
async function replaceChecked(
  { env, homeDir }: CommandContext,
  change: { path: string; text: string; key: SettingKey; flags: Places },
): Promise<string> {
  const { path, text, key, flags } = change;
  const { readDeclared } = await import("../../app/declared/declared.ts");
  const beside = `${path}.new`;
  try {
    writeBeside(beside, text, path);
    const config = loadConfig({ flags: { ...flags, config: beside }, env, homeDir, resources: readDeclared });
    renameSync(beside, path);
    return config.origins.get(key) ?? "file";
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
