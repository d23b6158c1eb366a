import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { type KeyStatus, serverKeyCalls } from "./key-calls.ts";
import { watchReseal } from "./key-progress.ts";
import { askKey } from "./key-prompts.ts";
import type { LocalFlags } from "./local-server.ts";

/** `key status`: 75 while locked. With `--watch` it ends when no re-sealing runs, and tells how far that came. */
export function statusCommand(command: Command, context: CommandContext): void {
  command
    .option("--watch", "show how far the re-sealing is, until it is done")
    .action(async (flags: LocalFlags & { readonly watch?: boolean }) => {
      const calls = serverKeyCalls(context, flags);
      const output = context.output();
      const reseal = flags.watch === true ? await watchReseal(output, calls) : undefined;
      const status = await calls.status();
      if (!status.unlocked) context.setExit(EXIT.tryAgain);
      const sealed = reseal && `\nre-sealed: ${reseal.done} of ${reseal.total}`;
      output.result(reseal ? { ...status, reseal } : status, () => `${sealLine(status)}${sealed ?? ""}`);
    });
}

/** What the state of the server key is, and what leads out of it. */
export function sealLine({ initialized, unlocked }: KeyStatus): string {
  if (!unlocked) return "encryption: locked; it serves nothing until it is unlocked: claviger key unlock";
  return initialized
    ? "encryption: unlocked"
    : "encryption: by the machine key; no server key is set: claviger key init";
}

/** `key show`: what is known of the server key without knowing it. */
export function showCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const details = await serverKeyCalls(context, flags).details();
    context
      .output()
      .result(details, () =>
        details.fingerprint === null
          ? sealLine(details)
          : [
              sealLine(details),
              `fingerprint: ${details.fingerprint}, set at ${details.set_at}`,
              `recovery key: ${details.recovery_key ? "unlocks too" : "none"}`,
              `unlocks by itself at a start: ${details.unlocks_itself ? "yes" : "no"}`,
            ].join("\n"),
      );
  });
}

/** `key unlock`: the key from a terminal or stdin; 77 for a wrong one, 75 for one too many. */
export function unlockCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const status = await serverKeyCalls(context, flags).unlock(await askKey("Server key"));
    context.output().result(status, () => "unlocked");
  });
}

/** `key lock`: also when it is locked. */
export function lockCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const status = await serverKeyCalls(context, flags).lock();
    context.output().result(status, () => "locked; to unlock it: claviger key unlock");
  });
}

/** `key recovery revoke`: also when there is none. */
export function revokeRecoveryCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    await serverKeyCalls(context, flags).revokeRecovery();
    context.output().result({ revoked: true }, () => "no recovery key unlocks this server any more");
  });
}
