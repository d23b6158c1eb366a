import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { MemberRecord } from "../members/member-record.ts";
import { type FleetParts, noted, requireMember } from "./fleet-parts.ts";
import { GOODBYE } from "./leave.ts";

type Parts = Pick<FleetParts, "cluster" | "roster" | "presence" | "audit">;

/** A node that is taken off is mostly one that answers nobody. */
const TOLD_WITHIN_MS = 2000;

/** Gives this node another name. Throws AppError `node_exists`, `cluster_closed`. */
export async function renameNode(parts: Parts, name: string, by: ChangeAuthor): Promise<MemberRecord> {
  const { cluster, roster, presence, audit } = parts;
  requireMember(cluster);
  const renamed = await roster.change({ name }, noted(audit, { action: "cluster.rename", target: name }, by));
  presence.greetSoon();
  return renamed;
}

/** Takes another node off the list, for all members, and tells it where it is reached. Throws AppError `not_found`, `bad_request` for this node itself. */
export async function removeNode(
  parts: Parts & Pick<FleetParts, "calls">,
  id: string,
  by: ChangeAuthor,
): Promise<MemberRecord> {
  const { cluster, roster, presence, audit, calls } = parts;
  requireMember(cluster);
  if (id === roster.ownId)
    throw new AppError("bad_request", "This node itself is taken off by: claviger cluster leave.");
  const before = roster.byId(id);
  const removed = await roster.remove(id, noted(audit, { action: "cluster.remove", target: id }, by));
  presence.greetSoon();
  // By now nobody greets it: what it does not hear here it hears of no one.
  if (before !== undefined)
    await calls.call(before, GOODBYE, { record: removed }, { deadlineMs: TOLD_WITHIN_MS }).catch(() => {});
  return removed;
}
