import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { printable } from "../output.ts";
import type { Questions } from "../questions.ts";
import type { LocalFlags } from "./local-server.ts";

/** What the steps work with. */
export interface SetupParts {
  readonly context: CommandContext;
  readonly flags: LocalFlags;
  readonly ask: Questions;
  /** Says it to the person at the terminal. */
  readonly say: (text: string) => void;
}

/** One thing to set up; what it asks for is collected first and done in one call, so that a cancelled one did nothing. */
export interface SetupStep {
  readonly name: string;
  /** The command that does the same alone. */
  readonly command: string;
  /** What is there already; undefined where it is to do. */
  done(): Promise<string | undefined>;
  /** Asks, and gives what was done; undefined where it was left for later. */
  run(): Promise<string | undefined>;
}

/** What `attempt` gives; where the server refuses what was typed, says why and tries anew. */
export async function untilTaken<Result>(
  { say }: Pick<SetupParts, "say">,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CliError) || !isRefusal(error)) throw error;
      const repair = error.repair === undefined ? "" : `; ${error.repair}`;
      say(`Not taken: ${printable(`${error.message}${repair}`)}`);
    }
  }
}

/** Shown once: asked for until it is kept. */
export async function showOnce(
  { say, ask }: Pick<SetupParts, "say" | "ask">,
  what: string,
  secret: string,
): Promise<void> {
  do say(`\n${secret}\n\nThis is the only time ${what} is shown.`);
  while (!(await ask.yesOrNo(`Is ${what} saved?`, true)));
}

const REFUSALS: readonly number[] = [
  EXIT.data,
  EXIT.refusedValue,
  EXIT.wrongPin,
  EXIT.joiningClosed,
  EXIT.notPermitted,
  // A member that is not there; a server key after too many wrong ones.
  EXIT.tryAgain,
];

function isRefusal({ exitCode, problem }: CliError): boolean {
  return REFUSALS.includes(exitCode) && problem?.code !== "forbidden" && problem?.code !== "invalid_token";
}
