import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { askNodes, idsOf, removeNode } from "./cluster-nodes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const told = z.object({
  data: z.array(
    z.object({ id: z.string(), name: z.string(), taken: z.boolean(), reason: z.string().nullable() }),
  ),
});
type ToldNode = z.infer<typeof told>["data"][number];

/** What came of it; without `nodes` nothing did, and `why` says the reason. */
export type Propagated =
  | { readonly nodes: readonly ToldNode[] }
  | { readonly nodes: null; readonly why: string };

/**
 * Looks whether the running server can give a new PIN to the other nodes, before anything is changed; gives the way to
 * have it do that. `except`: nodes that are taken off the list first. Throws CliError 65 where one of them is not known.
 */
export async function preparePropagation(
  context: CommandContext,
  flags: LocalFlags,
  except: readonly string[],
): Promise<() => Promise<Propagated>> {
  const found = await askNodes(context, flags).catch(unlessNothingRuns);
  if ("why" in found) return async () => found;
  const ids = idsOf(found, except);
  return () => propagate(context, flags, ids).catch(unlessNothingRuns);
}

/** A line for each node. */
export function propagatedLines({ nodes }: { readonly nodes: readonly ToldNode[] }): string[] {
  return nodes.map(({ name, taken, reason }) =>
    taken ? `${name} has the new PIN` : `${name} has not: ${WHY[reason ?? ""] ?? reason}`,
  );
}

const WHY: Readonly<Record<string, string>> = {
  unreachable: "it could not be reached",
  needs_pin: "its PIN is none that this server had since it was started",
  refused: "it refused; its log says more",
};

async function propagate(
  context: CommandContext,
  flags: LocalFlags,
  except: readonly string[],
): Promise<Propagated> {
  for (const id of except) await removeNode(context, flags, id);
  const call = { method: "POST", path: "/api/v1/cluster/propagate" } as const;
  return { nodes: told.parse((await callLocal(context, flags, call)).body).data };
}

/** The PIN is set on the files whatever the server says. */
function unlessNothingRuns(error: unknown): { readonly nodes: null; readonly why: string } {
  if (error instanceof CliError && error.exitCode !== EXIT.usage) return { nodes: null, why: error.message };
  throw error;
}
