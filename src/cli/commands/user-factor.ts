import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { askKey } from "./key-prompts.ts";
import type { LocalFlags } from "./local-server.ts";
import { userCalls } from "./user-calls.ts";

const KEEP_THEM =
  "Each recovery code stands in for the app once, and is shown this once. Keep them apart from the phone.";

/**
 * `user add-second-factor NAME`: prints the seed, asks for a code of it, and prints the recovery codes: two results. A code
 * that is wrong is asked for again at a terminal; elsewhere, as the next line of stdin, it is exit status 65.
 */
export function addFactorCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, flags: LocalFlags) => {
    const calls = userCalls(context, flags);
    const output = context.output();
    const id = await calls.idOf(name);
    const begun = await calls.beginFactor(id);
    output.result(begun, () => `${begun.uri}\n\nGive it to an authenticator app, or type ${begun.secret}`);
    const confirm = async (): Promise<{ readonly recovery_codes: readonly string[] }> => {
      const code = (await askKey("The app's code, six digits")).expose().replaceAll(/\s/g, "");
      return calls.confirmFactor(id, code).catch((error: unknown) => {
        output.note(refusalOf(error));
        return confirm();
      });
    };
    const done = await confirm();
    output.result(
      done,
      () => `${done.recovery_codes.join("\n")}\n\n${name} gives a code too now. ${KEEP_THEM}`,
    );
  });
}

/** What is said before the code is asked for again. Throws what no other code would mend. */
function refusalOf(error: unknown): string {
  if (!(error instanceof CliError) || !/^(?:wrong_code|bad_request)$/.test(error.problem?.code ?? ""))
    throw error;
  if (process.stdin.isTTY !== true)
    throw new CliError("that is no code of this seed; no second factor is on", { exitCode: EXIT.data });
  return "That is no code of this seed. The app goes by the clock: is it right here and there?";
}
