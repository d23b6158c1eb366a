import type { Command } from "commander";
import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { remoteUrl } from "../server-flags.ts";
import { discoverCommand } from "./cluster-discover.ts";
import { leaveCommand, lockFleetCommand } from "./cluster-fleet.ts";
import { joinCommand, openCommand } from "./cluster-join.ts";
import { type Agreement, agreementOf, listenerLines, offerListener } from "./cluster-listener.ts";
import { askNodes, nodeLines, removeCommand, renameCommand } from "./cluster-nodes.ts";
import { askNewKey } from "./key-prompts.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const statusBody = z.object({
  status: z.enum(["none", "closed", "member"]),
  cluster_id: z.string().nullable(),
  epoch: z.number().nullable(),
  joining_open_until: z.string().nullable(),
  tries_left: z.number().nullable(),
  join_urls: z.array(z.string()),
});
type ClusterStatus = z.infer<typeof statusBody>;

const WITH_LISTENER = [
  "--yes",
  "write a listener for other machines into claviger.yaml, where there is none, without asking",
] as const;
export const ABOUT_THE_PIN =
  "The same PIN is typed on every server and device of the cluster: 4 to 12 digits, 6 or more are advised.";

/** `claviger cluster init | status | join | open | lock | rename | remove | leave`. */
export function clusterCommands(program: Command, context: CommandContext): void {
  const group = program.command("cluster").description("the servers that one PIN makes one");
  const command = (words: string, says: string) =>
    group
      .command(words)
      .description(says)
      .option("--json", "print JSON")
      .option("--data-dir <dir>", "the server's data directory");
  command("init", "begin a cluster with a PIN, of which this server is the first member")
    .option(...WITH_LISTENER)
    .action((flags: LocalFlags & { readonly yes?: boolean }) => initCluster(context, flags));
  command("status", "tell whether the server is in a cluster, and how its nodes are").action(
    (flags: LocalFlags) => status(context, flags),
  );
  joinCommand(
    command("join", "join the cluster of another server with its PIN")
      .argument(
        "[url]",
        "a member, as https://192.168.1.20:8442; without, those that are heard are shown to choose from",
      )
      .option(...WITH_LISTENER),
    context,
  );
  discoverCommand(
    group
      .command("discover")
      .description("list the members that are heard on the local network within 3 seconds")
      .option("--json", "print JSON"),
    context,
  );
  openCommand(command("open", "let other servers join for 15 minutes, with 20 tries of the PIN"), context);
  lockFleetCommand(command("lock", "lock all nodes of the cluster at once"), context);
  renameCommand(command("rename", "give this node another name").argument("<name>"), context);
  removeCommand(
    command("remove", "take a node that is gone off the list").argument("<node>", "its name or id"),
    context,
  );
  leaveCommand(
    command("leave", "have this server leave its cluster, and remove its credential files"),
    context,
  );
}

/** The new PIN of a cluster, typed twice at a terminal, or a line of stdin. CliError 2 with the reason it is refused. */
export async function askNewPin(context: CommandContext): Promise<Secret> {
  context.output().note(ABOUT_THE_PIN);
  return requireGoodPin(await askNewKey("PIN"));
}

/** CliError 2 with the reason it is refused. */
export async function requireGoodPin(typed: Secret): Promise<Secret> {
  // Only here: what a cluster needs is loaded by no other command.
  const { parsePin } = await import("#services/cluster/index.ts");
  const parsed = parsePin(typed.expose());
  if (parsed.ok) return parsed.pin;
  throw new CliError(parsed.reason, {
    exitCode: EXIT.refusedValue,
    repair: "choose another, of 6 digits or more",
  });
}

/** `cluster init`. */
export async function initCluster(
  context: CommandContext,
  flags: LocalFlags & { readonly yes?: boolean },
): Promise<void> {
  const before = await askStatus(context, flags);
  if (before.status !== "none") throw alreadyThere(before);
  const { made, listener } = await beginWith(context, flags, {
    pin: await askNewPin(context),
    agrees: agreementOf(flags),
  });
  const output = context.output();
  output.result({ ...made, ...(listener && { listener }) }, () =>
    [whole(made), ...listenerLines(listener)].join("\n"),
  );
}

/** Begins a cluster, and offers a listener for the others. */
export async function beginWith(
  context: CommandContext,
  flags: LocalFlags,
  { pin, agrees }: { readonly pin: Secret; readonly agrees: Agreement },
) {
  const path = "/api/v1/cluster/init";
  const { body } = await callLocal(context, flags, { method: "POST", path, body: { pin: pin.expose() } });
  const made = statusBody.parse(body);
  // Another machine's file is not ours to write.
  const listener = remoteUrl(context) === undefined ? await offerListener(context, flags, agrees) : undefined;
  return { made, listener };
}

/** 1 where it is in none, 75 where its credentials are not as they must be. */
async function status(context: CommandContext, flags: LocalFlags): Promise<void> {
  const found = await askStatus(context, flags);
  if (found.status === "none") context.setExit(EXIT.failed);
  if (found.status === "closed") context.setExit(EXIT.tryAgain);
  if (found.status !== "member") return context.output().result(found, () => whole(found));
  const nodes = await askNodes(context, flags);
  context.output().result({ ...found, nodes }, () => [whole(found), ...nodeLines(nodes)].join("\n"));
}

/** Whether the server is in a cluster. */
export async function askStatus(context: CommandContext, flags: LocalFlags): Promise<ClusterStatus> {
  return statusBody.parse((await callLocal(context, flags, { method: "GET", path: "/api/v1/cluster" })).body);
}

function alreadyThere(found: ClusterStatus): CliError {
  return new CliError(describe(found), {
    exitCode: EXIT.data,
    repair: found.status === "member" ? "another PIN: claviger reset-pin" : "claviger doctor",
  });
}

/** With whether others may join, which a member alone tells. */
function whole(found: ClusterStatus): string {
  const { status, joining_open_until: until, tries_left: left } = found;
  if (status !== "member") return describe(found);
  const joining =
    until === null
      ? "joining is closed: claviger cluster open"
      : `joining is open until ${until}, ${left} tries left`;
  return `${describe(found)}\n${joining}`;
}

function describe({ status, cluster_id: id, epoch }: ClusterStatus): string {
  switch (status) {
    case "none":
      return "in no cluster; begin one with: claviger cluster init";
    case "closed":
      return "the cluster's credential files are not as they must be, so its routes are closed: claviger doctor";
    case "member":
      return `in the cluster ${id}, epoch ${epoch}`;
    default:
      return status satisfies never;
  }
}
