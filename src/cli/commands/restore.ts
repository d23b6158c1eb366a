import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../command-context.ts";

export interface RestoreFlags {
  readonly dataDir?: string;
  readonly configDir?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly password?: boolean;
  readonly revokeKeys?: boolean;
  /** Single values, in place of the whole store. */
  readonly only?: readonly ValueName[];
}

/** A stored value, by its table and the primary key of its row. */
interface ValueName {
  readonly table: string;
  readonly id: string;
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
    .addOption(
      new Option(
        "--only <table/id>",
        "put this value back, which does not open, and nothing else; repeatable",
      )
        .argParser(addValue)
        .conflicts(["force", "dryRun", "revokeKeys"]),
    )
    .option("--json", "print JSON")
    .action(async (file: string, flags: RestoreFlags) => {
      // Only here: no other command needs what it takes.
      const { runRestore } = await import("./restore-run.ts");
      await runRestore(context, file, flags);
    });
}

function addValue(text: string, before: readonly ValueName[] | undefined): readonly ValueName[] {
  const [, table, id] = /^([^/]+)\/(.+)$/s.exec(text) ?? [];
  if (table === undefined || id === undefined)
    throw new InvalidArgumentError("A table, a slash and the id of a row are needed: credential/cred_0123.");
  const others = (before ?? []).filter((one) => one.table !== table || one.id !== id);
  return [...others, { table, id }];
}
