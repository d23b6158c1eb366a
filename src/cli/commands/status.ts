import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { diskBody, diskLine } from "./disk-line.ts";
import { sealLine } from "./key-state.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const sealBody = z.object({ initialized: z.boolean(), unlocked: z.boolean() });
const statusBody = sealBody.extend({
  version: z.string(),
  pid: z.number().optional(),
  started_at: z.string().optional(),
  listeners: z.array(z.string()).optional(),
  disk: diskBody.optional(),
});
type Status = z.infer<typeof statusBody>;

/** `claviger status`: where the local server listens and whether it is locked (75); 69 when none is running. */
export function statusCommand(program: Command, context: CommandContext): void {
  program
    .command("status")
    .description("show the local server's state")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action(async (flags: LocalFlags) => {
      const status = await askStatus(context, flags);
      if (!status.unlocked) context.setExit(EXIT.tryAgain);
      context.output().result(status, () => describe(status).join("\n"));
    });
}

/** A locked server tells strangers and friends alike no more than its version and its state. */
async function askStatus(context: CommandContext, flags: LocalFlags): Promise<Status> {
  const ask = async (path: string) =>
    statusBody.parse((await callLocal(context, flags, { method: "GET", path })).body);
  try {
    return await ask("/api/v1/status");
  } catch (error) {
    if (!(error instanceof CliError) || error.problem?.code !== "server_locked") throw error;
    return ask("/api/v1/info");
  }
}

function describe({ version, pid, started_at, listeners, disk, ...seal }: Status): string[] {
  const up = pid === undefined ? "" : `, process ${pid}, up since ${started_at}`;
  return [
    `claviger ${version}${up}`,
    ...(listeners === undefined ? [] : [`listens on ${listeners.join(", ")}`]),
    sealLine(seal),
    ...(disk === undefined ? [] : [diskLine(disk)]),
  ];
}
