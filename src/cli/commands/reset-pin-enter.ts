import { isCancel, text } from "@clack/prompts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { initCluster } from "./cluster.ts";
import { joinMember } from "./cluster-join.ts";
import type { LocalFlags } from "./local-server.ts";

/**
 * Has the running server, which is in no cluster, join the one of a member whose address is asked for, or begin one where
 * that is left empty. CliError 65 where nobody can be asked.
 */
export async function enterCluster(context: CommandContext, flags: LocalFlags): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CliError("this server is in no cluster", {
      exitCode: EXIT.data,
      repair: "begin one: claviger cluster init; or join one: claviger cluster join https://HOST:PORT",
    });
  const url = await text({
    message: "This server is in no cluster. Address of a member, empty where this is the first server",
    placeholder: "https://192.168.1.20:8442",
    output: process.stderr,
  });
  if (isCancel(url)) throw new CliError("cancelled; nothing was changed", { exitCode: EXIT.failed });
  // An answer that is left empty may come as none.
  const address = (url ?? "").trim();
  if (address === "") return await initCluster(context, flags);
  return await joinMember(context, flags, address);
}
