import { statSync } from "node:fs";
import { type Command, Option } from "commander";
import { readBoundedText } from "#platform/config/bounded-text.ts";
import { quoteForShell } from "#platform/config/shell-quote.ts";
import { isLoopbackName } from "#platform/http/host.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "./command-context.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { readSecret } from "./prompt.ts";
import type { RemoteServer } from "./remote-server.ts";

/** What a command line says about which server is meant, wherever on it that stands. */
export interface ServerFlags {
  url?: string;
  apiKeyFile?: string;
  caFile?: string;
  pin?: string;
  allowPlainHttp?: boolean;
}

const KEY_BYTES = 8 * 1024;
const CA_BYTES = 1024 * 1024;
/** Under which the help shows what this file adds. */
export const SERVER_HEADING = "Another server:";
/** What works on this machine's own files. */
const OWN_FILES =
  /^(serve|doctor|audit verify|restore|reset-pin|setup-code|config (?!reload|show|identities|permission-sets|listeners|openapi)\S+)$/;

/**
 * Lets every command of the tree below `program` be told of another server, before its name and after; a command with
 * an option of the same name has it before only. A command that asks no server refuses them (CliError 64).
 */
export function addServerFlags(program: Command, given: ServerFlags): void {
  for (const command of [program, ...leavesOf(program)]) {
    const asks = command === program || asksServer(command, program);
    for (const { option, take } of optionsFor(given)) {
      if (command.options.some(({ long }) => long === option.long)) continue;
      command.addOption(option.helpGroup(SERVER_HEADING).hideHelp(!asks));
      command.on(`option:${option.name()}`, take);
    }
  }
  program.hook("preAction", (_program, command) => {
    const [flag] = Object.keys(given);
    if (flag === undefined || asksServer(command, program)) return;
    throw new CliError(`claviger ${wordsOf(command, program)} asks no server, so it takes no --url`, {
      exitCode: EXIT.usage,
      repair: "run it on the machine it is about",
    });
  });
}

/** The URL of the server that is meant, where it is not the local one. Throws CliError 64. */
export function remoteUrl({ env, server }: CommandContext): URL | undefined {
  const text = server.url ?? (env.CLAVIGER_URL || undefined);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isBare = url !== null && url.pathname === "/" && !/[?#@\s\\]/.test(text);
  if (url === null || !isBare || !/^https?:$/.test(url.protocol))
    throw wrongUse("the server's URL is https://HOST or https://HOST:PORT, without path or user");
  return url;
}

/** The other server that is meant, its key read; undefined for the local one. Throws CliError 64, 65, 77. */
export async function remoteServer(context: CommandContext): Promise<RemoteServer | undefined> {
  const url = remoteUrl(context);
  if (url === undefined) return undefined;
  const { env, server } = context;
  const isPlain = url.protocol === "http:";
  const allowPlainHttp = server.allowPlainHttp === true;
  if (isPlain && !allowPlainHttp && !isLoopbackName(url.hostname.replace(/^\[(.*)\]$/, "$1")))
    throw wrongUse(
      `${url.origin} would get the key unencrypted`,
      "use https://, or, on a network you trust, --allow-plain-http",
    );
  const pin = pinOf(server.pin ?? (env.CLAVIGER_PIN || undefined));
  const caFile = server.caFile ?? (env.CLAVIGER_CA_FILE || undefined);
  if (isPlain && (server.pin ?? server.caFile) !== undefined)
    throw wrongUse("a server over http:// has no certificate: --pin and --ca-file need https://");
  const ca = isPlain || caFile === undefined ? undefined : readText("--ca-file", caFile, CA_BYTES);
  return { url, ...(await keyOf(context)), ca, pin: isPlain ? undefined : pin, allowPlainHttp };
}

function optionsFor(given: ServerFlags): { option: Option; take: (value: string) => void }[] {
  return [
    {
      option: new Option("--url <url>", "the server to ask, https://HOST:PORT (CLAVIGER_URL)"),
      take: (value) => (given.url = value),
    },
    {
      option: new Option("--api-key-file <file>", "the file with the key for it (CLAVIGER_API_KEY_FILE)"),
      take: (value) => (given.apiKeyFile = value),
    },
    {
      option: new Option("--ca-file <file>", "trust this authority alone, PEM (CLAVIGER_CA_FILE)"),
      take: (value) => (given.caFile = value),
    },
    {
      option: new Option("--pin <fingerprint>", "trust this certificate alone, sha256:HEX (CLAVIGER_PIN)"),
      take: (value) => (given.pin = value),
    },
    {
      option: new Option("--allow-plain-http", "send the key unencrypted to another machine"),
      take: () => (given.allowPlainHttp = true),
    },
  ];
}

function leavesOf(command: Command): Command[] {
  return command.commands.flatMap((one) => (one.commands.length === 0 ? [one] : leavesOf(one)));
}

function asksServer(command: Command, program: Command): boolean {
  const hasPlace = command.options.some(({ long }) => long === "--data-dir");
  return hasPlace && !OWN_FILES.test(wordsOf(command, program));
}

function wordsOf(command: Command, program: Command): string {
  const above = command.parent;
  return above === null || above === program
    ? command.name()
    : `${wordsOf(above, program)} ${command.name()}`;
}

function pinOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, hex] = /^sha256:((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})$/i.exec(text) ?? [];
  if (hex === undefined) throw wrongUse("a pin is sha256: and 64 hexadecimal digits");
  return hex.replaceAll(":", "").toLowerCase();
}

/** From a file or a prompt, never from the environment: that is handed on to every child and shown in listings. */
async function keyOf({ env, server }: CommandContext): Promise<{ key: Secret; keyFrom: string }> {
  const path = server.apiKeyFile ?? (env.CLAVIGER_API_KEY_FILE || undefined);
  if (path !== undefined) return { key: new Secret(keyInFile(path)), keyFrom: path };
  if (process.stdin.isTTY !== true)
    throw wrongUse(
      env.CLAVIGER_API_KEY ? "CLAVIGER_API_KEY is not read" : "there is no key for that server",
      "put it in a file of mode 0400 and name that: --api-key-file FILE, or CLAVIGER_API_KEY_FILE",
    );
  const key = await readSecret({ label: "API key", input: process.stdin, isTerminal: true });
  return { key, keyFrom: "the terminal" };
}

function keyInFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && (found.mode & 0o077) !== 0)
    throw new CliError(`others may read the key in ${path}`, {
      exitCode: EXIT.notPermitted,
      repair: `chmod 0400 ${quoteForShell(path)}`,
    });
  const text = readText("--api-key-file", path, KEY_BYTES).replace(/\r?\n$/, "");
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new CliError(`${path} does not hold one key`, { exitCode: EXIT.data });
}

function readText(flag: string, path: string, maxBytes: number): string {
  const file = readBoundedText(path, maxBytes);
  if (file.kind === "text") return file.text;
  const why = file.kind === "missing" ? "does not exist" : file.reason;
  throw new CliError(`${flag}: the file ${path} ${why}`, { exitCode: EXIT.data });
}

function wrongUse(message: string, repair?: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage, ...(repair === undefined ? {} : { repair }) });
}
