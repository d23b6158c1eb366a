import { isCancel, select } from "@clack/prompts";
import type { Command } from "commander";
import type { FoundMember } from "#services/cluster/index.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { remoteUrl } from "../server-flags.ts";

/** `cluster discover`: whom this machine hears; no server is asked. */
export function discoverCommand(command: Command, context: CommandContext): void {
  command.action(async () => {
    const found = await findMembers();
    const output = context.output();
    if (found.length === 0) output.note("nobody was heard; on a member: claviger cluster open");
    output.table(["name", "url"], found);
  });
}

/** The URL of the member that is chosen of those heard. CliError 2 where nobody can choose, 75 where nobody was heard. */
export async function chooseMember(context: CommandContext): Promise<string> {
  // What this machine hears is not what another one reaches.
  if (process.stdin.isTTY !== true || remoteUrl(context) !== undefined)
    throw new CliError("the member's URL is missing", {
      exitCode: EXIT.refusedValue,
      repair: "claviger cluster join https://HOST:8442; claviger cluster discover lists those that are heard",
    });
  context.output().note("Listening for members for 3 seconds.");
  const found = await findMembers();
  if (found.length === 0)
    throw new CliError("nobody was heard", {
      exitCode: EXIT.tryAgain,
      repair: "on a member: claviger cluster open; or name it: claviger cluster join https://HOST:8442",
    });
  const answer = await select({
    message: "Which one? Anybody on this network can say that he is one; the PIN proves it.",
    options: found.map(({ name, url }) => ({ value: url, label: `${name}  ${url}` })),
    output: process.stderr,
  });
  if (!isCancel(answer)) return answer;
  throw new CliError("cancelled; nothing was changed", { exitCode: EXIT.failed });
}

/** The members that are heard on this machine's networks within 3 seconds. CliError 75 where nothing can be heard. */
async function findMembers(): Promise<readonly FoundMember[]> {
  // Only here: what a cluster needs is loaded by no other command.
  const cluster = await import("#services/cluster/index.ts");
  const { found, silent } = await cluster.findMembers();
  if (silent === undefined) return found;
  throw new CliError(`no member can be heard: ${silent}`, {
    exitCode: EXIT.tryAgain,
    repair: "name the member: claviger cluster join https://HOST:8442",
  });
}
