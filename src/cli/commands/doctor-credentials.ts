import * as z from "zod";
import { type ConfigFlags, type LoadedConfig, loadConfig } from "#platform/config/load.ts";
import { ConfigProblems } from "#platform/config/problems.ts";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import type { CredentialSource } from "#vault/credentials/index.ts";
import type { CommandContext } from "../command-context.ts";
import { callServer } from "../control-client.ts";
import { CliError, EXIT } from "../exit-codes.ts";

/** A credential that a provider of the configuration file names, and that is not to be had. */
export interface MissingCredential {
  readonly provider: string;
  /** Says how to repair it. */
  readonly problem: string;
}

/** What is missing, and what could not be looked at, in words. */
interface CredentialFindings {
  readonly missing: readonly MissingCredential[];
  readonly notes: readonly string[];
}

const page = z.object({
  data: z.array(z.object({ name: z.string(), source: z.string(), problems: z.array(z.string()).optional() })),
  next_cursor: z.string().nullable(),
});

/**
 * The credentials that providers of the file lack: as the running server finds them, whose environment and file count;
 * without one, by the environment of this command, the files and the store as they are. Throws what a call throws but
 * for a server that is not there or locked.
 */
export async function missingCredentials(
  context: CommandContext,
  config: LoadedConfig,
  flags: ConfigFlags,
): Promise<CredentialFindings> {
  try {
    return { missing: await askServer(config.dataDir), notes: [] };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.exitCode === EXIT.notRunning) return await lookHere(context, config, flags);
    if (error.problem?.code !== "server_locked") throw error;
    return { missing: [], notes: ["the server is locked: its providers' credentials are not looked at"] };
  }
}

async function askServer(dataDir: string): Promise<MissingCredential[]> {
  const missing: MissingCredential[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await callServer({
      socketPath: controlSocketPath(dataDir),
      dataDir,
      method: "GET",
      path: `/api/v1/providers?limit=1000${from}`,
    });
    const { data, next_cursor: next } = page.parse(body);
    for (const { name, source, problems = [] } of data)
      if (source === "file") missing.push(...problems.map((problem) => ({ provider: name, problem })));
    cursor = next;
  }
  return missing;
}

async function lookHere(
  context: CommandContext,
  config: LoadedConfig,
  flags: ConfigFlags,
): Promise<CredentialFindings> {
  const declared = await declaredProviders(context, flags);
  if (declared === undefined) {
    const words = "the configuration has problems, so its providers are not looked at: claviger config check";
    return { missing: [], notes: [words] };
  }
  // Only here: no other command of this machine looks into a store without its server.
  const { readColumn } = await import("#platform/storage/read-column.ts");
  const set = new Set(readColumn(config.dataDir, { table: "named_credential", column: "name" }));
  const missing: MissingCredential[] = [];
  for (const { name, credentials } of declared)
    for (const source of credentials) {
      const problem = await problemOf(source, set, context);
      if (problem !== undefined) missing.push({ provider: name, problem });
    }
  return { missing, notes: [] };
}

async function declaredProviders(context: CommandContext, flags: ConfigFlags) {
  const { readDeclared } = await import("../../app/declared/declared.ts");
  try {
    const { resources } = loadConfig({
      flags,
      env: context.env,
      homeDir: context.homeDir,
      resources: readDeclared,
    });
    return resources.providers;
  } catch (error) {
    if (error instanceof ConfigProblems) return undefined;
    throw error;
  }
}

async function problemOf(
  source: CredentialSource,
  set: ReadonlySet<string>,
  { env }: CommandContext,
): Promise<string | undefined> {
  if ("secret" in source) {
    if (set.has(source.secret)) return undefined;
    return `The secret ${source.secret} is not set; set it with: claviger provider set-credential --secret ${source.secret}`;
  }
  const { readSource } = await import("#vault/credentials/index.ts");
  const found = await readSource(source, (name) => env[name]);
  return "problem" in found ? found.problem : undefined;
}
