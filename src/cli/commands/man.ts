import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { treeOf } from "../command-tree.ts";
import { manualPage } from "../manual-page.ts";

/** `claviger man`: the manual page, to be read with `man -l` or put where man(1) finds it. */
export function manCommand(program: Command, context: CommandContext): void {
  program
    .command("man")
    .description("print the manual page: claviger man >claviger.1; man -l claviger.1")
    .option("--json", "print JSON")
    .action(() => {
      const page = manualPage(treeOf(program));
      context.output().result({ page }, () => page.trimEnd());
    });
}
