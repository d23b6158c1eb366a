import type { Command } from "commander";
import { z } from "zod";
import type { CommandContext } from "../program.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const statusBody = z.object({
  version: z.string(),
  pid: z.number(),
  started_at: z.string(),
  listeners: z.array(z.string()),
  initialized: z.boolean(),
  unlocked: z.boolean(),
});

/** `claviger status`: whether the local server runs, where it listens, and whether it is locked. */
export function statusCommand(program: Command, context: CommandContext): void {
  program
    .command("status")
    .description("show the local server's state")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action(async (flags: LocalFlags) => {
      const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/status" });
      const status = statusBody.parse(body);
      context
        .output()
        .result(status, () =>
          [
            `claviger ${status.version}, process ${status.pid}, up since ${status.started_at}`,
            `listens on ${status.listeners.join(", ")}`,
            sealLine(status),
          ].join("\n"),
        );
    });
}

function sealLine(status: { initialized: boolean; unlocked: boolean }): string {
  if (!status.initialized) return "encryption: by the machine key; no server key is set";
  return status.unlocked ? "encryption: unlocked" : "encryption: locked";
}
