import type { Command } from "commander";
import { SERVER_HEADING } from "./server-flags.ts";

export interface TreeOption {
  /** `--permissions`. */
  readonly long: string;
  /** As the help shows it: `--permissions <set...>`. */
  readonly flags: string;
  readonly says: string;
  readonly takesValue: boolean;
  /** Every value it takes, where those are few. */
  readonly choices: readonly string[];
  /** Whether it says which server is meant, as many commands let it. */
  readonly choosesServer: boolean;
}

/** One command, or the program itself, as help, manual page and completion show it. */
export interface TreeCommand {
  /** From the program on, without its name: `api-key create`; empty for the program. */
  readonly words: string;
  readonly name: string;
  readonly says: string;
  /** As they stand after the words: `<name>`, `[file]`. */
  readonly args: readonly {
    readonly shown: string;
    readonly says: string;
    readonly choices: readonly string[];
  }[];
  readonly options: readonly TreeOption[];
  readonly commands: readonly TreeCommand[];
}

/** The tree of commands below `program`, hidden options left out. */
export function treeOf(program: Command, above: readonly string[] = []): TreeCommand {
  const below = program.commands.map((one) => treeOf(one, [...above, one.name()]));
  return {
    words: above.join(" "),
    name: program.name(),
    says: program.description(),
    args: program.registeredArguments.map((one) => ({
      shown: shownArgument(one.name(), one.required, one.variadic),
      says: one.description,
      choices: one.argChoices ?? [],
    })),
    options: program.options.flatMap((one) =>
      one.hidden || one.long == null
        ? []
        : [
            {
              long: one.long,
              flags: one.flags,
              says: one.description,
              takesValue: one.required || one.optional,
              choices: one.argChoices ?? [],
              choosesServer: one.helpGroupHeading === SERVER_HEADING,
            },
          ],
    ),
    commands: below,
  };
}

/** The command and everything below it, each before what is below it. */
export function flattened(tree: TreeCommand): TreeCommand[] {
  return [tree, ...tree.commands.flatMap(flattened)];
}

function shownArgument(name: string, required: boolean, variadic: boolean): string {
  const word = variadic ? `${name}...` : name;
  return required ? `<${word}>` : `[${word}]`;
}
