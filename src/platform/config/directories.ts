import { lstatSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkConfigVersion } from "./config-version.ts";
import { type Environment, type EnvironmentValue, lookUp } from "./environment.ts";
import { commandLineProblem, environmentProblem, type Problem } from "./problems.ts";

/** Where the package keeps its data; with it goes the configuration directory `/etc/claviger`. */
const PACKAGE_DATA_DIR = "/var/lib/claviger";
const PACKAGE_CONFIG_DIR = "/etc/claviger";

/** Which rule chose the configuration directory, first match first. */
export type ConfigDirRule = "flag" | "environment" | "package" | "data-dir";

export interface Directories {
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly configDir: string;
  readonly configDirRule: ConfigDirRule;
}

export interface DirectoryFlags {
  readonly dataDir?: string;
  readonly configDir?: string;
}

/** Says, for messages, why the configuration directory is the one it is. */
export function explainConfigDir({ configDirRule, configDir }: Omit<Directories, "dataDir">): string {
  switch (configDirRule) {
    case "flag":
      return `the configuration directory is ${configDir} because --config-dir says so`;
    case "environment":
      return `the configuration directory is ${configDir} because CLAVIGER_CONFIG_DIR says so`;
    case "package":
      return `the configuration directory is ${configDir} because the data directory is the package's, ${PACKAGE_DATA_DIR}`;
    case "data-dir":
      return `the configuration directory is ${configDir} because neither --config-dir nor CLAVIGER_CONFIG_DIR is set`;
    default:
      return configDirRule satisfies never;
  }
}

/** Finds both directories and reports what cannot be one. Nothing is created. */
export function resolveDirectories(
  { flags, env, homeDir }: { flags: DirectoryFlags; env: Environment; homeDir: string },
  problems: Problem[],
): Directories {
  if (flags.dataDir === "") problems.push(commandLineProblem("--data-dir is empty"));
  if (flags.configDir === "") problems.push(commandLineProblem("--config-dir is empty"));
  const named = lookUp({ name: "DATA_DIR" }, env, problems);
  const dataDir = resolve(flags.dataDir || named?.text || join(homeDir, ".claviger"));
  if (isNoDirectory(dataDir)) {
    const message = `the data directory ${dataDir} is not a directory`;
    problems.push(flags.dataDir ? commandLineProblem(message) : environmentProblem(message));
  }
  const configured = lookUp({ name: "CONFIG_DIR", prefixOnly: true }, env, problems);
  const chosen = chooseConfigDir(flags.configDir, configured, dataDir);
  if (isNoDirectory(chosen.configDir)) {
    const message = `not a directory; ${explainConfigDir(chosen)}`;
    problems.push({ file: chosen.configDir, line: 0, column: 0, message });
  } else {
    checkConfigVersion(chosen.configDir, problems);
  }
  return { dataDir, ...chosen };
}

/** Whether anything, a dangling link included, has this path. */
export function pathExists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function chooseConfigDir(
  flag: string | undefined,
  configured: EnvironmentValue | undefined,
  dataDir: string,
): Omit<Directories, "dataDir"> {
  if (flag) return { configDir: resolve(flag), configDirRule: "flag" };
  if (configured) return { configDir: resolve(configured.text), configDirRule: "environment" };
  if (dataDir === PACKAGE_DATA_DIR) return { configDir: PACKAGE_CONFIG_DIR, configDirRule: "package" };
  return { configDir: join(dataDir, "etc"), configDirRule: "data-dir" };
}

function isNoDirectory(path: string): boolean {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status !== undefined && !status.isDirectory();
  } catch {
    return true;
  }
}
