import { AppError } from "#platform/lib/error.ts";
import type { Cluster } from "../cluster.ts";
import type { MemberCalls } from "../members/member-calls.ts";
import type { MemberRecord } from "../members/member-record.ts";
import type { Presence } from "../members/presence.ts";
import type { Roster } from "../members/roster.ts";
import { type JoinMembers, TRIES_PATH, type TriesAsked, type TriesGiven, triesGiven } from "./tries.ts";

/** What leads to the other members. */
export interface MembersParts {
  readonly cluster: Pick<Cluster, "state">;
  readonly roster: Pick<Roster, "ownId" | "others" | "byId">;
  readonly presence: Pick<Presence, "upMembers">;
  readonly calls: MemberCalls;
}

/** A joiner waits meanwhile. */
const DEADLINE_MS = 3000;

/** The members as the list has them, asked over the calls of nodes. */
export function joinMembers({ cluster, roster, presence, calls }: MembersParts): JoinMembers {
  return {
    ownId: roster.ownId,
    clusterId: () => {
      const state = cluster.state();
      return state.status === "member" ? state.credentials.clusterId : undefined;
    },
    others: () => roster.others().map(idOf),
    up: () => presence.upMembers().map(idOf),
    ask: async (id, asked) => {
      const member = roster.byId(id);
      return member && (await ask(calls, member, asked));
    },
  };
}

async function ask(
  calls: MemberCalls,
  member: MemberRecord,
  asked: TriesAsked,
): Promise<TriesGiven | undefined> {
  try {
    const { status, json, hasPin } = await calls.call(member, TRIES_PATH, asked, { deadlineMs: DEADLINE_MS });
    return status === 200 && hasPin ? triesGiven.safeParse(json).data : undefined;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function idOf({ id }: MemberRecord): string {
  return id;
}
