import { loadConfig } from "#platform/config/load.ts";
import { controlSocketPath } from "#platform/config/socket-path.ts";
import type { CommandContext } from "../command-context.ts";
import { callServer, type ServerAnswer, type ServerPlace } from "../control-client.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { RemoteServer } from "../remote-server.ts";
import { remoteServer } from "../server-flags.ts";

export interface LocalFlags {
  readonly dataDir?: string;
}

/** One command makes several calls, and asks for the key once. */
const known = new WeakMap<CommandContext, Promise<RemoteServer | undefined>>();

/**
 * Calls the server that is meant: the one of a data directory over its control socket, or the one of `--url` or
 * CLAVIGER_URL. A `--data-dir` beats the variable, and beside `--url` it is wrong use (CliError 64).
 */
export async function callLocal(
  context: CommandContext,
  flags: LocalFlags,
  call: {
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    path: string;
    body?: unknown;
    deadlineMs?: number;
  },
): Promise<ServerAnswer> {
  return callServer({ ...(await serverMeant(context, flags)), ...call });
}

/** The server that `callLocal` calls. Throws CliError 64. */
export async function serverMeant(context: CommandContext, flags: LocalFlags): Promise<ServerPlace> {
  const { dataDir: given } = flags;
  if (given !== undefined && context.server.url !== undefined)
    throw new CliError("--data-dir and --url name two servers", { exitCode: EXIT.usage });
  const asked = known.get(context) ?? (given === undefined ? remoteServer(context) : undefined);
  if (asked !== undefined) known.set(context, asked);
  const remote = await asked;
  if (remote !== undefined) return { remote };
  const places = given === undefined ? {} : { dataDir: given };
  const { dataDir } = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  return { socketPath: controlSocketPath(dataDir), dataDir };
}
