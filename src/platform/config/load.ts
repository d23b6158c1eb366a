import { join } from "node:path";
import { Secret } from "#platform/lib/secret.ts";
import { readBoundedText } from "./bounded-text.ts";
import {
  type ConfigDirRule,
  type Directories,
  type DirectoryFlags,
  explainConfigDir,
  pathExists,
  resolveDirectories,
} from "./directories.ts";
import { type Environment, lookUp, lookUpFile } from "./environment.ts";
import { settingsOfFile } from "./file-settings.ts";
import { DEFAULT_LISTEN, type ListenAddress, parseListen } from "./listen.ts";
import {
  ConfigProblems,
  commandLineProblem,
  environmentProblem,
  inFileOrder,
  type Problem,
} from "./problems.ts";
import { type ResourceReader, readResourceSection } from "./resources.ts";
import { readText } from "./setting-value.ts";
import {
  completeSettings,
  REFUSED_VARIABLES,
  SECRET_VARIABLES,
  SETTINGS,
  type SecretName,
  type Setting,
  type SettingKey,
  type Settings,
} from "./settings.ts";
import { parseYamlFile, type YamlFile } from "./yaml-file.ts";

/** What a configuration file is called in the configuration directory, and how large it may be. */
export const CONFIG_FILE = "claviger.yaml";
export const FILE_BYTES = 1048576;

export type Origin = "flag" | "environment" | "file" | "default";

/** What the command line says; texts as typed. */
export interface ConfigFlags extends DirectoryFlags {
  /** `--config FILE`, in place of `claviger.yaml` of the configuration directory. */
  readonly config?: string;
  /** Each `--listen`. */
  readonly listen?: readonly string[];
  /** Settings given as flags of their own. */
  readonly settings?: Readonly<Partial<Record<SettingKey, string>>>;
}

export interface LoadedConfig<Resources = unknown> {
  readonly settings: Settings;
  /** Which source won, for every setting. */
  readonly origins: ReadonlyMap<SettingKey, Origin>;
  /** The secrets the environment gives; one that is not here is read from, or generated into, the data directory. */
  readonly secrets: ReadonlyMap<SecretName, Secret>;
  /** The server key, where the operator has the server unlock itself at its start. */
  readonly serverKey: Secret | undefined;
  readonly listen: readonly ListenAddress[];
  /** Whether the command line says where to listen; it then replaces the listeners of the file. */
  readonly listenGiven: boolean;
  readonly dataDir: string;
  readonly configDir: string;
  readonly configDirRule: ConfigDirRule;
  /** The file that was read, if there is one. */
  readonly configFile: string | undefined;
  /** What the `resources` that were handed in made of the file's; undefined without them. */
  readonly resources: Resources;
}

export interface LoadInput {
  readonly flags: ConfigFlags;
  readonly env: Environment;
  readonly homeDir: string;
}

/**
 * Reads flags, environment and `claviger.yaml`, in that order of precedence. Creates nothing. The file's `resources:`
 * are looked at only by the reader that is handed in.
 * Throws ConfigProblems (exit status 78) with every problem of all three.
 */
export function loadConfig<Resources>(
  input: LoadInput & { readonly resources: ResourceReader<Resources> },
): LoadedConfig<Resources>;
export function loadConfig(input: LoadInput): LoadedConfig;
export function loadConfig<Resources>(
  input: LoadInput & { readonly resources?: ResourceReader<Resources> },
): LoadedConfig<Resources | undefined> {
  const { flags, env } = input;
  const problems: Problem[] = [];
  const directories = resolveDirectories(input, problems);
  const { configFile, yaml } = readConfigFile(flags.config, directories, problems);
  const inFile = yaml ? settingsOfFile(yaml, problems) : new Map<SettingKey, unknown>();
  const { values, origins } = mergeSettings(flags, env, inFile, problems);
  // Only the file counts here, which outlives a command line and can be reviewed.
  const listen = readListen(flags.listen ?? [], inFile.get("allow_plain_http") === true, problems);
  const secrets = readSecrets(env, problems);
  const serverKey = lookUpFile("SERVER_KEY", env, problems);
  for (const { name, reason } of REFUSED_VARIABLES) {
    const found = lookUp({ name, prefixOnly: true }, env, problems);
    if (found) problems.push(environmentProblem(`${found.from} is set, but ${reason}; unset it`));
  }
  const resources = input.resources?.(readResourceSection(yaml, problems));
  if (problems.length > 0) throw new ConfigProblems(inFileOrder(problems));
  return {
    settings: completeSettings(values),
    origins,
    secrets,
    serverKey: serverKey && new Secret(serverKey.text),
    listen,
    listenGiven: (flags.listen ?? []).length > 0,
    configFile,
    ...directories,
    resources,
  };
}

function readConfigFile(
  flag: string | undefined,
  directories: Directories,
  problems: Problem[],
): { configFile: string | undefined; yaml: YamlFile | undefined } {
  const path = flag ?? join(directories.configDir, CONFIG_FILE);
  const why = flag === undefined ? `; ${explainConfigDir(directories)}` : "; --config names it";
  const file = readBoundedText(path, FILE_BYTES);
  if (file.kind === "text") return { configFile: path, yaml: parseYamlFile(path, file.text, problems) };
  const blamed = problems.some((problem) => problem.file === directories.configDir);
  if (file.kind === "unreadable" && !blamed) {
    problems.push({ file: path, line: 1, column: 1, message: `the file ${file.reason}${why}` });
  }
  if (file.kind === "missing" && (flag !== undefined || pathExists(path))) {
    problems.push({ file: path, line: 1, column: 1, message: `the file does not exist${why}` });
  }
  return { configFile: undefined, yaml: undefined };
}

/** Every source is checked, the overruled ones too: a wrong line must not wait until the flag above it goes. */
function mergeSettings(
  flags: ConfigFlags,
  env: Environment,
  inFile: ReadonlyMap<SettingKey, unknown>,
  problems: Problem[],
): { values: Map<SettingKey, unknown>; origins: Map<SettingKey, Origin> } {
  const values = new Map<SettingKey, unknown>();
  const origins = new Map<SettingKey, Origin>();
  for (const setting of SETTINGS) {
    const { key } = setting;
    const take = (origin: Origin, value: unknown) => {
      values.set(key, value);
      origins.set(key, origin);
    };
    take("default", setting.fallback);
    if (inFile.has(key)) take("file", inFile.get(key));
    readEnvironmentSetting(setting, env, problems, (value) => take("environment", value));
    const flag = flags.settings?.[key];
    if (flag === undefined) continue;
    const read = readText(setting, flag, `--${key.replaceAll("_", "-")}`);
    if (read.ok) take("flag", read.value);
    else problems.push(commandLineProblem(read.message));
  }
  return { values, origins };
}

function readEnvironmentSetting(
  setting: Setting,
  env: Environment,
  problems: Problem[],
  take: (value: unknown) => void,
): void {
  if (setting.environment === undefined) return;
  const found = lookUp({ name: setting.environment }, env, problems);
  if (found === undefined) return;
  const read = readText(setting, found.text, found.from);
  if (read.ok) take(read.value);
  else problems.push(environmentProblem(read.message));
}

function readListen(texts: readonly string[], allowPlainHttp: boolean, problems: Problem[]): ListenAddress[] {
  if (texts.length === 0) return [...DEFAULT_LISTEN];
  return texts.flatMap((text) => {
    const parsed = parseListen(text, { allowPlainHttp });
    if (parsed.ok) return parsed.addresses;
    problems.push(commandLineProblem(parsed.message));
    return [];
  });
}

function readSecrets(env: Environment, problems: Problem[]): Map<SecretName, Secret> {
  const secrets = new Map<SecretName, Secret>();
  for (const { name } of SECRET_VARIABLES) {
    const found = lookUp({ name }, env, problems);
    if (found) secrets.set(name, new Secret(found.text));
  }
  return secrets;
}
