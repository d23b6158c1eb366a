import { execFile } from "node:child_process";
import { lookup as getaddrinfo, Resolver } from "node:dns/promises";
import { promisify } from "node:util";
import { readHostsFile, readSearchRules, searchedNames } from "./name-files.ts";

/**
 * Finds the addresses of a name, at least one. Throws an Error whose `code` is ENOTFOUND when there is none, another
 * code when the answer could not be had; gives up when the signal is aborted.
 */
export type Lookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface SystemLookupFiles {
  readonly hosts: string;
  readonly resolvConf: string;
  readonly getent: string;
}

const SYSTEM_FILES: SystemLookupFiles = {
  hosts: "/etc/hosts",
  resolvConf: "/etc/resolv.conf",
  getent: "/usr/bin/getent",
};
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 3;

/**
 * The system's names, without ever waiting in the thread pool: getaddrinfo(3) holds a libuv thread, only half of the
 * pool's four may do so at once, and two hanging names would therefore stop all others. So the hosts file is read
 * here, DNS is asked over a socket of its own for each name (with the search list of resolv.conf), and what neither
 * knows (mDNS and other modules of nsswitch) is asked in a process of its own, which can be ended.
 */
export function createSystemLookup(
  files: SystemLookupFiles = SYSTEM_FILES,
  newResolver: () => Resolver = () => new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES }),
): Lookup {
  return async (name, signal) => {
    if (name === "localhost" || name.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    const listed = (await readHostsFile(files.hosts)).get(name);
    if (listed !== undefined) return listed;
    // Unicast DNS does not know these names (RFC 6762), and asking it for them is slow where it is not answered.
    if (name.endsWith(".local")) return askSystem(name, files.getent, signal);
    const names = searchedNames(name, await readSearchRules(files.resolvConf));
    const found = await askDns(names, newResolver, signal);
    return found.length > 0 ? found : askSystem(name, files.getent, signal);
  };
}

async function askDns(
  names: readonly string[],
  newResolver: () => Resolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const resolver = newResolver();
  const onAbort = () => resolver.cancel();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (const name of names) {
      signal.throwIfAborted();
      const found = await askForBoth(resolver, name);
      if (found.length > 0) return found;
    }
    return [];
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** One family that is not answered does not hide the other; where neither is, that is an error and no absence. */
async function askForBoth(resolver: Resolver, name: string): Promise<readonly string[]> {
  const [six, four] = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)]);
  const found = [six, four].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  for (const answer of [six, four]) {
    if (answer.status === "rejected" && !isAbsence(answer.reason)) throw answer.reason;
  }
  return [];
}

/** Whether DNS has nothing to say, so that the system may know more; a silent server would be silent to it as well. */
function isAbsence(error: unknown): boolean {
  return !["ETIMEOUT", "ECANCELLED"].includes(codeOf(error));
}

async function askSystem(name: string, getent: string, signal: AbortSignal): Promise<readonly string[]> {
  // A name that begins with a dash could be read as an option.
  if (!/^[a-z0-9_][a-z0-9._-]*$/.test(name)) throw notFound();
  try {
    // An environment of its own, so that no variable (HOSTALIASES, RES_OPTIONS) changes what a name means.
    const { stdout } = await promisify(execFile)(getent, ["ahosts", name], {
      signal,
      env: {},
      killSignal: "SIGKILL",
    });
    const addresses = stdout.split("\n").map((line) => line.split(/\s/, 1)[0] ?? "");
    return [...new Set(addresses.filter((address) => address !== ""))];
  } catch (error) {
    signal.throwIfAborted();
    // Systems without the program (macOS) have only the thread pool to ask in.
    if (codeOf(error) !== "ENOENT") throw notFound();
    return (await getaddrinfo(name, { all: true, order: "verbatim" })).map(({ address }) => address);
  }
}

function notFound(): Error {
  return Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
