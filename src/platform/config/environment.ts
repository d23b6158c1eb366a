import { join } from "node:path";
import { readBoundedText } from "./bounded-text.ts";
import { environmentProblem, type Problem } from "./problems.ts";

const VALUE_BYTES = 65536;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A name the environment may set: always as `CLAVIGER_NAME`, and bare too unless `prefixOnly`. */
export interface Variable {
  readonly name: string;
  readonly prefixOnly?: boolean;
}

export interface EnvironmentValue {
  readonly text: string;
  /** Where it was found, for messages: `LOG_LEVEL`, `CLAVIGER_LOG_LEVEL_FILE`, `credential LOG_LEVEL`. */
  readonly from: string;
}

/** The environment of this process; the only place that reads it. Everything else is handed a record. */
export function processEnvironment(): Environment {
  return process.env;
}

/**
 * Looks a variable up: `CLAVIGER_NAME`, then `NAME`, each as a value or as `…_FILE` (both at once is a problem),
 * then the systemd credentials of those names. An empty value counts as unset; an empty file is a problem.
 */
export function lookUp(
  variable: Variable,
  env: Environment,
  problems: Problem[],
): EnvironmentValue | undefined {
  const names = namesOf(variable);
  for (const name of names) {
    const value = env[name];
    const path = env[`${name}_FILE`];
    if (value && path) {
      problems.push(environmentProblem(`${name} and ${name}_FILE are both set; keep one`));
      return undefined;
    }
    if (value) return { text: value, from: name };
    if (path) return valueFromFile(path, `${name}_FILE`, problems);
  }
  return credential(names, env, problems);
}

/**
 * Looks up what a file alone may hold: the one that `CLAVIGER_NAME_FILE` names, else the systemd credential of the name in
 * lower case. A value in the environment is a problem, for that is handed on to every child and shown in listings.
 */
export function lookUpFile(
  name: string,
  env: Environment,
  problems: Problem[],
): EnvironmentValue | undefined {
  const variable = `CLAVIGER_${name}`;
  if (env[variable]) {
    const better = `put it into a file and name that in ${variable}_FILE`;
    problems.push(environmentProblem(`${variable} is set, but not read from the environment; ${better}`));
  }
  const path = env[`${variable}_FILE`];
  return path
    ? valueFromFile(path, `${variable}_FILE`, problems)
    : credential([name.toLowerCase()], env, problems);
}

function namesOf({ name, prefixOnly }: Variable): string[] {
  return prefixOnly ? [`CLAVIGER_${name}`] : [`CLAVIGER_${name}`, name];
}

/** systemd.exec(5): LoadCredential= puts each credential as a file into $CREDENTIALS_DIRECTORY. */
function credential(
  names: readonly string[],
  env: Environment,
  problems: Problem[],
): EnvironmentValue | undefined {
  const directory = env.CREDENTIALS_DIRECTORY;
  if (!directory) return undefined;
  for (const name of names) {
    const path = join(directory, name);
    if (readBoundedText(path, VALUE_BYTES).kind === "missing") continue;
    return valueFromFile(path, `credential ${name}`, problems);
  }
  return undefined;
}

function valueFromFile(path: string, from: string, problems: Problem[]): EnvironmentValue | undefined {
  const file = readBoundedText(path, VALUE_BYTES);
  const problem = (message: string) => {
    problems.push({ file: path, line: 1, column: 1, message: `${from}: the file ${message}` });
    return undefined;
  };
  if (file.kind === "missing") return problem("does not exist");
  if (file.kind === "unreadable") return problem(file.reason);
  const text = file.text.replace(/\r?\n$/, "");
  return text === "" ? problem("is empty") : { text, from };
}
