import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const answer = z.object({ username: z.string(), code: z.string() });

/** `claviger setup-code`: what the first user signs in with, once; the code is on the first line, alone. */
export function setupCodeCommand(program: Command, context: CommandContext): void {
  program
    .command("setup-code")
    .description("show what the first user signs in with, once; until somebody has a password")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action(async (flags: LocalFlags) => {
      const call = { method: "POST", path: "/api/v1/setup-code" } as const;
      const shown = answer.parse((await callLocal(context, flags, call)).body);
      context
        .output()
        .result(
          shown,
          () =>
            `${shown.code}\n\nSign in with it as ${shown.username}, once; the password is to be changed then.`,
        );
    });
}
