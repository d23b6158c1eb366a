import { type Command, InvalidArgumentError } from "commander";
import { CliError, EXIT } from "../exit-codes.ts";

/** What a command line says about a provider's options. */
export interface OptionFlags {
  readonly caFile?: string;
  readonly proxy?: string;
  readonly header?: readonly string[];
  readonly connectTimeout?: number;
  readonly headersTimeout?: number;
  readonly idleTimeout?: number;
  readonly credentialHeader?: string;
  readonly credentialPrefix?: string;
  readonly method?: readonly string[];
  readonly pathPrefix?: readonly string[];
}

/** Adds the flags that `optionsOf` reads. */
export function withOptionFlags(command: Command): Command {
  return command
    .option(
      "--ca-file <file>",
      "trust the authorities of this PEM file of the server, instead of the system's",
    )
    .option("--proxy <url>", "reach it through this HTTP proxy: http://HOST:PORT")
    .option("--header <name=value>", "send this header too, not for secrets; may be given again", collect)
    .option("--connect-timeout <ms>", "for making a connection, in milliseconds", milliseconds)
    .option("--headers-timeout <ms>", "until its answer begins, in milliseconds", milliseconds)
    .option("--idle-timeout <ms>", "between two pieces of its answer, in milliseconds", milliseconds)
    .option("--credential-header <name>", "kind http: the header of the credential (default: Authorization)")
    .option("--credential-prefix <text>", "kind http: what stands before it there, such as 'Token '")
    .option("--method <name>", "kind http: allow this method only; may be given again", collect)
    .option(
      "--path-prefix <path>",
      "kind http: publish paths below this one only; may be given again",
      collect,
    );
}

/** The options as the API takes them; undefined when no flag was given. Throws CliError 64. */
export function optionsOf(flags: OptionFlags): Record<string, unknown> | undefined {
  const given = Object.entries({
    ca_file: flags.caFile,
    proxy: flags.proxy,
    extra_headers: flags.header === undefined ? undefined : headersOf(flags.header),
    connect_timeout_ms: flags.connectTimeout,
    headers_timeout_ms: flags.headersTimeout,
    body_idle_timeout_ms: flags.idleTimeout,
    credential_header: credentialHeaderOf(flags),
    methods: flags.method?.map((name) => name.toUpperCase()),
    path_prefixes: flags.pathPrefix,
  }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new CliError(`--header ${line}: it is written NAME=VALUE`, { exitCode: EXIT.usage });
    headers.set(name, value);
  }
  return Object.fromEntries(headers);
}

function credentialHeaderOf(flags: OptionFlags): { name: string; prefix?: string } | undefined {
  const { credentialHeader: name, credentialPrefix: prefix } = flags;
  if (name !== undefined) return { name, ...(prefix === undefined ? {} : { prefix }) };
  if (prefix !== undefined)
    throw new CliError("--credential-prefix needs --credential-header", { exitCode: EXIT.usage });
  return undefined;
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function milliseconds(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It is a number of milliseconds.");
  return Number(text);
}
