import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";

export interface RestoreFlags {
  readonly dataDir?: string;
  readonly configDir?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly password?: boolean;
  readonly revokeKeys?: boolean;
}

/** `claviger restore FILE`: puts a backup in the place of a data directory's store; the server must not run. */
export function restoreCommand(program: Command, context: CommandContext): void {
  program
    .command("restore")
    .description("put a backup in place; the server must not run")
    .argument("<file>", "a backup")
    .option("--data-dir <dir>", "the data directory to restore to")
    .option("--config-dir <dir>", "the configuration directory")
    .option("--force", "also where there is a store; it is kept aside")
    .option("--dry-run", "check the backup and tell of it; change nothing")
    .option("--password", "the backup has a password; asked for anyway where it has one")
    .option("--revoke-keys", "revoke every API key in it")
    .option("--json", "print JSON")
    .action(async (file: string, flags: RestoreFlags) => {
      // Only here: no other command needs what it takes.
      const { runRestore } = await import("./restore-run.ts");
      await runRestore(context, file, flags);
    });
}
