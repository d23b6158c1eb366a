import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { createCommand, updateCommand } from "./api-key-create.ts";
import { revokeCommand, rotateCommand } from "./api-key-end.ts";
import { generateCommand, validateCommand } from "./api-key-hash.ts";
import { listCommand, showCommand } from "./api-key-show.ts";

/** `claviger api-key generate | validate | create | list | show | update | rotate | revoke`. */
export function apiKeyCommands(program: Command, context: CommandContext): void {
  const group = program.command("api-key").description("keys that programs present to this server");
  const command = (words: string, says: string) =>
    group.command(words).description(says).option("--json", "print JSON");
  const onServer = (words: string, says: string) =>
    command(words, says).option("--data-dir <dir>", "the server's data directory");
  generateCommand(
    command("generate", "make a key and its public hash; no server is needed and nothing is stored"),
    context,
  );
  validateCommand(
    command(
      "validate <hash>",
      "tell whether a key belongs to a public hash; the key is asked for, or read from stdin",
    ),
    context,
  );
  createCommand(onServer("create <name>", "issue a key; it is shown this once"), context);
  listCommand(onServer("list", "list the keys"), context);
  showCommand(
    onServer("show <key>", "show a key, by its id or name; its text is never shown again"),
    context,
  );
  updateCommand(onServer("update <key>", "change a key; what is not named stays as it is"), context);
  rotateCommand(
    onServer("rotate <key>", "issue a key in the place of another, which stays valid for the overlap"),
    context,
  );
  revokeCommand(
    onServer("revoke [key]", "revoke a key: its next request is refused, its running answers end"),
    context,
  );
}
