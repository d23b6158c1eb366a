import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { type ResealReport, serverKeyCalls } from "./key-calls.ts";
import { watchReseal, withProgress } from "./key-progress.ts";
import { askKey, askNewKey } from "./key-prompts.ts";
import type { LocalFlags } from "./local-server.ts";

const SAVE_IT_FIRST = `Save the server key before you set it, where you would find it if this machine were gone: a password manager, an
envelope in a safe. Every later start asks for it. Without it, and without a recovery key, nobody can open the stored
secrets again, in no backup either.`;

/** `key init`: the key from a terminal, typed twice, or from stdin; with `--recovery` the recovery key is on the first line. */
export function initCommand(command: Command, context: CommandContext): void {
  command
    .option(
      "--recovery",
      "make a recovery key too, which unlocks when the server key is lost; it is shown this once",
    )
    .action(async (flags: LocalFlags & { readonly recovery?: boolean }) => {
      const calls = serverKeyCalls(context, flags);
      const output = context.output();
      output.note(SAVE_IT_FIRST);
      const key = await askNewKey("Server key");
      const done = await calls.initialize(key, flags.recovery === true);
      output.result(done, () => {
        const said = "The server key is set. Every later start asks for it: claviger key unlock";
        if (done.recovery_key === undefined) return said;
        return `${done.recovery_key}\n\nThis is the only time the recovery key is shown. Keep it apart from the server key.\n${said}`;
      });
    });
}

/** `key rotate`: the current key and the new one, each on a line of stdin where that is no terminal; 1 when rows are left. */
export function rotateCommand(command: Command, context: CommandContext): void {
  command.action(async (flags: LocalFlags) => {
    const calls = serverKeyCalls(context, flags);
    const output = context.output();
    const current = await askKey("Current server key");
    const next = await askNewKey("New server key");
    const report = await withProgress(output, calls, calls.rotate(current, next));
    if (report === undefined) {
      const reseal = await watchReseal(output, calls);
      return output.result(reseal, () => `${ROTATED}\n${reseal.done} of ${reseal.total} secrets re-sealed`);
    }
    if (report.failed.length > 0) context.setExit(EXIT.failed);
    output.result(report, () => describe(report));
  });
}

const ROTATED = "The new server key holds; the old one is refused.";

function describe({ resealed, skipped, failed }: ResealReport): string {
  const counts = `${resealed} secrets re-sealed, ${skipped} were already`;
  const left = failed.map(({ table, id }) => `  ${table}/${id}`);
  if (left.length === 0) return `${ROTATED}\n${counts}`;
  return `${ROTATED}\n${counts}; these do not open, and were left as they are:\n${left.join("\n")}\nSet them anew, or restore them from a backup; then rotate once more, with equal keys.`;
}
