import { lstatSync } from "node:fs";
import * as z from "zod";
import { systemErrorCode } from "#platform/config/bounded-text.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Cluster } from "../cluster.ts";
import { type MemberRecord, memberRecord } from "../members/member-record.ts";
import type { Roster } from "../members/roster.ts";
import { beginRemoving, finishRemoving } from "../write-credential-set.ts";
import { FLEET_DEADLINE_MS, type FleetParts, NO_CLUSTER, noted } from "./fleet-parts.ts";

/** What another node says that leaves, and what is said to one that was removed. */
export const goodbye = z.strictObject({ record: memberRecord });

/** Where nodes are told so. */
export const GOODBYE = "/cluster/leave";

type LeavingParts = Pick<FleetParts, "directory" | "audit" | "calls"> & {
  readonly cluster: Pick<Cluster, "change">;
  readonly database: Pick<Database, "transaction">;
  readonly roster: Pick<Roster, "self" | "others" | "change" | "drop">;
};

/** How a server left. */
interface Left {
  /** Null where the files did not say which. */
  readonly clusterId: string | null;
  /** The nodes that do not know of it yet. */
  readonly notTold: readonly MemberRecord[];
}

/**
 * Has this server leave its cluster: the others are told, as far as they are reached, then its credential files and its
 * list of nodes go, all with the record of it or nothing. Also where the files are closed: then nobody can be told.
 * Throws AppError `cluster_closed` in no cluster, or where the files cannot be taken away.
 */
export function leaveCluster(parts: LeavingParts, by: ChangeAuthor): Promise<Left> {
  const { cluster, roster } = parts;
  return cluster.change(async (state) => {
    if (state.status === "none") throw new AppError("cluster_closed", NO_CLUSTER);
    const others = roster.others();
    const told = state.status === "member" ? await sayGoodbye(parts) : new Set<string>();
    const clusterId = state.status === "member" ? state.credentials.clusterId : null;
    await takeFilesAway(parts, clusterId, by);
    return { clusterId, notTold: others.filter(({ id }) => !told.has(id)) };
  });
}

/** Takes a node off the list that says so of itself; or this one, which was removed. Throws AppError `bad_request`. */
export async function hearGoodbye(
  roster: Pick<Roster, "merge" | "ownId">,
  from: string,
  { record }: z.infer<typeof goodbye>,
): Promise<void> {
  if (!record.left || (record.id !== from && record.id !== roster.ownId))
    throw new AppError("bad_request", "A node leaves for itself alone.");
  await roster.merge([record]);
}

/** Gives the ids of those who know it now. */
async function sayGoodbye({ roster, calls }: LeavingParts): Promise<ReadonlySet<string>> {
  const own = roster.self();
  if (own === undefined) return new Set();
  // One that was removed, or tried to leave before, has said it.
  const record = own.left ? own : await roster.change({ left: true });
  const told = roster.others().map(async (member) => {
    const answer = await calls
      .call(member, GOODBYE, { record }, { deadlineMs: FLEET_DEADLINE_MS })
      .catch(() => {});
    // Who knows this node no more has heard of it, by another one.
    const knows = answer?.status === 401 || (answer?.status === 200 && answer.hasPin);
    return knows ? [member.id] : [];
  });
  return new Set((await Promise.all(told)).flat());
}

async function takeFilesAway(
  { directory, database, audit, roster }: LeavingParts,
  clusterId: string | null,
  by: ChangeAuthor,
): Promise<void> {
  let takeBack = () => {};
  try {
    await database.transaction(async (query) => {
      await roster.drop(query);
      await noted(audit, { action: "cluster.leave", target: clusterId }, by)(query);
      takeBack = orSayWhy(directory, () => beginRemoving(requireDirectory(directory)));
    });
  } catch (error) {
    takeBack();
    throw error;
  }
  orSayWhy(directory, () => finishRemoving(directory));
}

/** What a link in its place leads to is not ours to empty. */
function requireDirectory(directory: string): string {
  if (lstatSync(directory).isDirectory()) return directory;
  throw new AppError("cluster_closed", `${directory} is no directory; take it away by hand.`);
}

function orSayWhy<Result>(directory: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const words = `The credential files cannot be taken away (${systemErrorCode(cause)}).`;
    throw new AppError("cluster_closed", words, { detail: directory, cause });
  }
}
