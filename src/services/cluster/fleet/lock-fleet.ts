import * as z from "zod";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ServerKey } from "#vault/seal/index.ts";
import type { MemberRecord } from "../members/member-record.ts";
import { FLEET_DEADLINE_MS, type FleetParts, noted, requireMember } from "./fleet-parts.ts";

/** Why a node is not locked. */
export const LOCK_REASONS = ["unreachable", "needs_pin", "no_server_key", "refused"] as const;

/** A node after a fleet lock. */
interface LockedNode {
  readonly id: string;
  readonly name: string;
  readonly locked: boolean;
  /** Null where it is locked. */
  readonly reason: (typeof LOCK_REASONS)[number] | null;
}

/** What a node answers that was told to lock. */
export const lockAnswer = z.object({ locked: z.boolean(), reason: z.enum(["no_server_key"]).nullable() });

const PATH = "/cluster/lock";
const ALONE = "This server is in no cluster; to lock it alone: claviger key lock.";

/**
 * Locks every node at once, this one too, and tells of each: this one first, then the others by name. What cannot be
 * reached within 5 s is told as such. Throws AppError `cluster_closed` where this server is no member, with nothing locked.
 */
export async function lockFleet(parts: FleetParts, by: ChangeAuthor): Promise<LockedNode[]> {
  const { cluster, roster, database, audit, log } = parts;
  const { clusterId } = requireMember(cluster, ALONE);
  const others = roster.others().map((member) => lockOther(parts, member));
  // Whatever takes long elsewhere, this server waits for nobody.
  const own = await lockOwn(parts.seal, by);
  const nodes = [
    { id: roster.ownId, name: roster.self()?.name ?? roster.ownId, ...own },
    ...(await Promise.all(others)),
  ];
  const record = noted(audit, { action: "cluster.lock", target: clusterId }, by);
  // The locks hold, and each node has a record of its own.
  await database.transaction(record).catch(() => log.warn({}, "a fleet lock could not be written down"));
  return nodes;
}

/** Locks this server, and tells whether it is. */
export async function lockOwn(
  seal: Pick<ServerKey, "lock" | "status">,
  by: ChangeAuthor,
): Promise<z.infer<typeof lockAnswer>> {
  try {
    await seal.lock(by);
  } catch (error) {
    if (error instanceof AppError && error.code === "key_not_initialized")
      return { locked: false, reason: "no_server_key" };
    // It may hold although it could not be written.
    if (seal.status().unlocked) throw error;
  }
  return { locked: true, reason: null };
}

async function lockOther({ calls }: FleetParts, member: MemberRecord): Promise<LockedNode> {
  const { id, name } = member;
  const not = (reason: LockedNode["reason"]) => ({ id, name, locked: false, reason });
  try {
    const { status, json, hasPin } = await calls.call(member, PATH, {}, { deadlineMs: FLEET_DEADLINE_MS });
    if (status === 403) return not("needs_pin");
    const said = lockAnswer.safeParse(json);
    // Who does not prove the PIN is nobody whose word counts.
    return status === 200 && hasPin && said.success ? { id, name, ...said.data } : not("refused");
  } catch {
    return not("unreachable");
  }
}
