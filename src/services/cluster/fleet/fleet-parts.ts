import type { AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { ServerKey } from "#vault/seal/index.ts";
import type { Cluster } from "../cluster.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import type { MemberCalls } from "../members/member-calls.ts";
import type { Presence } from "../members/presence.ts";
import type { Roster } from "../members/roster.ts";

/** What an operator's calls on all nodes of a cluster are made with. */
export interface FleetParts {
  readonly cluster: Cluster;
  /** `credentials/` of the configuration directory. */
  readonly directory: string;
  readonly database: Database;
  readonly audit: Pick<AuditRecorder, "append">;
  readonly seal: Pick<ServerKey, "lock" | "status">;
  readonly random: Random;
  readonly log: Log;
  readonly roster: Roster;
  readonly presence: Presence;
  readonly calls: MemberCalls;
}

/** So long another node may take over what an operator waits for. */
export const FLEET_DEADLINE_MS = 5_000;

/** This member's credentials. Throws AppError `cluster_closed` where it is none. */
export function requireMember(
  cluster: Pick<Cluster, "state">,
  words: string = NO_CLUSTER,
): ClusterCredentials {
  const state = cluster.state();
  if (state.status === "member") return state.credentials;
  throw new AppError("cluster_closed", state.status === "none" ? words : undefined);
}

/** Writes that an action succeeded, within a transaction. */
export function noted(
  audit: Pick<AuditRecorder, "append">,
  { action, target }: { readonly action: string; readonly target: string | null },
  { principal, address, requestId }: ChangeAuthor,
): (query: Query) => Promise<void> {
  const outcome = "success" as const;
  const entry = { actor: callerId(principal), action, target, outcome, address, requestId, count: 1 };
  return (query) => audit.append(query, entry);
}

/** What is said of a server that nothing of this can be done on. */
export const NO_CLUSTER = "This server is in no cluster.";
