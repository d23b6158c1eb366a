import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { initCommand, rotateCommand } from "./key-change.ts";
import {
  lockCommand,
  revokeRecoveryCommand,
  showCommand,
  statusCommand,
  unlockCommand,
} from "./key-state.ts";

/** `claviger key status | show | init | unlock | rotate | lock | recovery revoke`. */
export function serverKeyCommands(program: Command, context: CommandContext): void {
  const group = program
    .command("key")
    .description("the server key, which opens the stored secrets after a start");
  const command = (parent: Command, words: string, says: string) =>
    parent
      .command(words)
      .description(says)
      .option("--json", "print JSON")
      .option("--data-dir <dir>", "the server's data directory");
  statusCommand(
    command(group, "status", "tell whether a server key is set and the server unlocked"),
    context,
  );
  showCommand(command(group, "show", "show which server key is set, and what else unlocks"), context);
  initCommand(command(group, "init", "set the server key, which every later start asks for"), context);
  unlockCommand(
    command(group, "unlock", "unlock the server with the server key or the recovery key"),
    context,
  );
  rotateCommand(command(group, "rotate", "change the server key and re-seal every stored secret"), context);
  lockCommand(command(group, "lock", "lock the server at once; no key is asked for"), context);
  const recovery = group.command("recovery").description("the recovery key, which unlocks too");
  revokeRecoveryCommand(
    command(recovery, "revoke", "revoke the recovery key: the server key alone unlocks"),
    context,
  );
}
