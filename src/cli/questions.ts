import { spawnSync } from "node:child_process";
import { type CANCEL_SYMBOL, confirm, isCancel, password, select, text } from "@clack/prompts";
import { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "./command-context.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { readLine } from "./prompt.ts";

/** One of several answers: what stands for it here, and its words. */
export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

/** What a person at a terminal is asked, on stderr. Each throws CliError 1 where he cancels. */
export interface Questions {
  /** A line, without white space around it; `usual` where it is left empty. */
  line(message: string, usual: string): Promise<string>;
  /** A line typed unseen; undefined where it is left empty. */
  unseen(message: string): Promise<Secret | undefined>;
  yesOrNo(message: string, usual: boolean): Promise<boolean>;
  /** The first one is what Enter alone takes. */
  choice<Value extends string>(message: string, choices: readonly Choice<Value>[]): Promise<Value>;
}

/** The message of who cancels. */
export const CANCELLED = "cancelled";

const output = process.stderr;

/** Drawn where the terminal can move its cursor; line by line where it says that it cannot (`TERM=dumb`), or is not known. */
export function questionsAt({ env }: CommandContext): Questions {
  return env.TERM === "dumb" || !env.TERM ? plain : drawn;
}

const drawn: Questions = {
  line: async (message, usual) => {
    const hint = usual === "" ? {} : { placeholder: usual, defaultValue: usual };
    // An answer that is left empty may come as none.
    return (taken(await text({ message, output, ...hint })) ?? "").trim() || usual;
  },
  unseen: async (message) => secretOf(taken(await password({ message, output }))),
  yesOrNo: async (message, usual) => taken(await confirm({ message, initialValue: usual, output })),
  choice: async (message, choices) => {
    const options = choices.map(({ label }, at) => ({ value: at, label }));
    const answer = taken(await select({ message, options, output }));
    return choices.at(answer)?.value ?? cancellation();
  },
};

const plain: Questions = {
  line: async (message, usual) =>
    (await typed(usual === "" ? message : `${message} [${usual}]`)).trim() || usual,
  unseen: async (message) => {
    echo("-echo");
    try {
      return secretOf(await typed(message));
    } finally {
      echo("echo");
      output.write("\n");
    }
  },
  yesOrNo: async (message, usual) => {
    const answer = (await typed(`${message} [${usual ? "Y/n" : "y/N"}]`)).trim();
    return answer === "" ? usual : /^y/i.test(answer);
  },
  choice: async (message, choices) => {
    const lines = choices.map(({ label }, at) => `  ${at + 1}  ${label}\n`);
    output.write(lines.join(""));
    for (;;) {
      const answer = (await typed(`${message} [1]`)).trim() || "1";
      const found = choices[Number(answer) - 1];
      if (found !== undefined) return found.value;
    }
  },
};

/** A line as the terminal gives it, which edits it itself. */
async function typed(message: string): Promise<string> {
  const cancelled = Promise.withResolvers<undefined>();
  const onSignal = () => {
    // What waits for a line would keep the process.
    process.stdin.destroy();
    cancelled.resolve(undefined);
  };
  process.once("SIGINT", onSignal);
  output.write(`? ${message}: `);
  try {
    return (await Promise.race([readLine(process.stdin, message), cancelled.promise])) ?? cancellation();
  } finally {
    process.off("SIGINT", onSignal);
    process.stdin.pause();
  }
}

/** Throws CliError 1 where the terminal cannot keep what is typed unseen. */
function echo(setting: "echo" | "-echo"): void {
  const { status } = spawnSync("stty", [setting], { stdio: ["inherit", "ignore", "ignore"] });
  if (status === 0) return;
  throw new CliError("this terminal would show what is typed", {
    exitCode: EXIT.failed,
    repair: "set TERM to what it is, as in: TERM=xterm claviger setup",
  });
}

function secretOf(answer: string | undefined): Secret | undefined {
  return answer === undefined || answer === "" ? undefined : new Secret(answer);
}

function taken<Answer>(answer: Answer | typeof CANCEL_SYMBOL): Answer {
  if (isCancel(answer)) return cancellation();
  return answer;
}

function cancellation(): never {
  throw new CliError(CANCELLED, { exitCode: EXIT.failed });
}
