import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";

export interface BackupFlags extends LocalFlags {
  readonly password?: boolean;
  readonly withConfig?: boolean;
  readonly force?: boolean;
}

/** `claviger backup FILE`: a backup of the running server, or, where none runs, of its data directory. `-` is stdout. */
export function backupCommand(program: Command, context: CommandContext): void {
  program
    .command("backup")
    .description("write a backup of the store to a file")
    .argument("<file>", "the file to write, or - for stdout")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--password", "close it by a password of its own (prompt, or stdin)")
    .option("--with-config", "with the configuration directory; needs --password")
    .option("--force", "replace the file if it exists")
    .option("--json", "print JSON")
    .action(async (file: string, flags: BackupFlags) => {
      if (flags.withConfig === true && flags.password !== true)
        throw new CliError("--with-config needs --password, which closes what is in those files", {
          exitCode: EXIT.usage,
        });
      // Only here: no other command needs what it takes.
      const { runBackup } = await import("./backup-run.ts");
      await runBackup(context, file, flags);
    });
}
