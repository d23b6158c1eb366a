import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const node = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string().nullable(),
  version: z.string(),
  state: z.enum(["up", "down", "needs_pin"]),
  unlocked: z.boolean(),
  models: z.array(z.string()),
  last_seen: z.string(),
});
const nodes = z.object({ data: z.array(node) });
const named = z.object({ id: z.string(), name: z.string() });
type NodeRow = z.infer<typeof node>;

const LOST =
  "A device that was lost still has the PIN's salt. Give the others a new one: claviger reset-pin --new-salt --propagate";

/** `cluster rename NAME`: 65 where another node has that name. */
export function renameCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, flags: LocalFlags) => {
    const call = { method: "POST", path: "/api/v1/cluster/rename", body: { name } } as const;
    const done = named.parse((await callLocal(context, flags, call)).body);
    context.output().result(done, () => `this node is ${done.name}`);
  });
}

/** `cluster remove NODE`: 65 for one that nobody knows, and for this node itself. */
export function removeCommand(command: Command, context: CommandContext): void {
  command.action(async (nameOrId: string, flags: LocalFlags) => {
    const [id = ""] = idsOf(await askNodes(context, flags), [nameOrId]);
    const removed = await removeNode(context, flags, id);
    const output = context.output();
    output.result({ ...removed, removed: true }, () => `${removed.name} is no node of the cluster any more`);
    output.note(LOST);
  });
}

/** Takes a node off the list. Throws what `callLocal` throws. */
export async function removeNode(context: CommandContext, flags: LocalFlags, id: string) {
  const { body } = await callLocal(context, flags, { method: "DELETE", path: `/api/v1/nodes/${id}` });
  return named.parse(body);
}

/** The nodes of the cluster, the one that is asked first. Throws what `callLocal` throws. */
export async function askNodes(context: CommandContext, flags: LocalFlags): Promise<readonly NodeRow[]> {
  return nodes.parse((await callLocal(context, flags, { method: "GET", path: "/api/v1/nodes" })).body).data;
}

/** The ids of nodes called by name or id. Throws CliError 65 for one that is not there. */
export function idsOf(known: readonly NodeRow[], called: readonly string[]): string[] {
  return called.map((nameOrId) => {
    const found = known.find(({ id }) => id === nameOrId) ?? known.find(({ name }) => name === nameOrId);
    if (found !== undefined) return found.id;
    throw new CliError(`no node is called ${nameOrId}`, {
      exitCode: EXIT.data,
      repair: `there are ${known.map(({ name }) => name).join(", ")}`,
    });
  });
}

/** Each node in a line: its name, state, lock state, version, URL, and when it was heard of. */
export function nodeLines(rows: readonly NodeRow[]): string[] {
  const cells = rows.map(({ name, state, unlocked, version, url, last_seen: seen }) => [
    name,
    state,
    unlocked ? "unlocked" : "locked",
    version,
    url ?? "-",
    seen,
  ]);
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells.map((line) => `  ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")}`);
}
