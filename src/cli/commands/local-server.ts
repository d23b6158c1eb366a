import { loadConfig } from "#platform/config/load.ts";
import { controlSocketPath } from "#services/control/index.ts";
import type { CommandContext } from "../command-context.ts";
import { callServer, type ServerAnswer } from "../control-client.ts";

export interface LocalFlags {
  readonly dataDir?: string;
}

/** Calls the server of a data directory over its control socket. */
export function callLocal(
  context: CommandContext,
  flags: LocalFlags,
  call: { method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"; path: string; body?: unknown },
): Promise<ServerAnswer> {
  const places = flags.dataDir === undefined ? {} : { dataDir: flags.dataDir };
  const { dataDir } = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  return callServer({ socketPath: controlSocketPath(dataDir), dataDir, ...call });
}
