import { Argument, type Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { treeOf } from "../command-tree.ts";
import { completionScript, SHELLS, type Shell } from "./completion-scripts.ts";

/** `claviger completion bash|zsh|fish`: a script that completes commands and options, made from the commands themselves. */
export function completionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .description("print a completion script for a shell: source <(claviger completion bash)")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .option("--json", "print JSON")
    .action((shell: Shell) => {
      const script = completionScript(shell, treeOf(program));
      context.output().result({ shell, script }, () => script);
    });
}
