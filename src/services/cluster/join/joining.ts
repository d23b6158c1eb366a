import type { AuditRecorder } from "#gates/audit/index.ts";
import type { PeerDialler } from "#platform/egress/peer-dialler.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { Cluster, ClusterState } from "../cluster.ts";
import type { JoiningTalk } from "../members/heartbeat.ts";
import type { MemberCalls } from "../members/member-calls.ts";
import type { Presence } from "../members/presence.ts";
import type { Roster } from "../members/roster.ts";
import { JoinBudget } from "./budget.ts";
import { joinMembers } from "./join-members.ts";
import { JoinResponder } from "./responder.ts";
import { giveTryRoute } from "./routes/give-try.ts";
import { joinClusterRoute } from "./routes/join-cluster.ts";
import { type AddressFailureCounter, JoinDoor } from "./routes/join-door.ts";
import { finishJoinRoute, startJoinRoute } from "./routes/join-messages.ts";
import { openJoiningRoute } from "./routes/open-joining.ts";
import { openShareStore } from "./share-store.ts";

interface JoiningParts {
  readonly cluster: Cluster;
  readonly database: Database;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly audit: Pick<AuditRecorder, "append">;
  /** SHA-256 of the public keys of this server's certificates (SPKI, DER), base64url. */
  readonly tlsKeys: () => readonly string[];
  /** What counts wrong credentials by address. */
  readonly addresses: AddressFailureCounter;
  readonly dialler: PeerDialler;
  readonly roster: Roster;
  readonly presence: Pick<Presence, "upMembers" | "greetSoon" | "greetAll">;
  readonly calls: MemberCalls;
  readonly timers: Timers;
  /** How a run goes on that another server began. */
  readonly counted: (outcome: JoinOutcome) => void;
}

type JoinOutcome = "begun" | "admitted" | "wrong_pin" | "refused";

/** Joining, in both directions: other servers this one's cluster, and this one another's. */
interface Joining extends JoiningTalk {
  /** When joining closes by itself, in milliseconds since the Unix epoch; undefined where it is closed. */
  openUntilMs(): number | undefined;
  /** Joins that may still end without the right PIN, as far as this member knows. */
  triesLeft(): number;
  register(api: Api): void;
}

/** Joining is as it was before a restart, and opens with each new cluster. */
export async function openJoining(parts: JoiningParts): Promise<Joining> {
  const { cluster, audit, database, presence, roster, timers, tools, tlsKeys } = parts;
  const store = openShareStore(database);
  const monotonicMs = () => timers.monotonicMs();
  const budget = await JoinBudget.read({
    store,
    clock: tools.clock,
    monotonicMs,
    members: joinMembers(parts),
  });
  // Who was removed from the cluster admits nobody to it.
  const state = () => (roster.self()?.left === true ? NONE : cluster.state());
  const responder = new JoinResponder({ state, budget, tlsKeys, roster, ...tools });
  // Its record is that of the cluster's beginning.
  cluster.onInit(() => budget.reopen(async () => {}));
  const noted = (action: string, by: ChangeAuthor) => (query: Query, target?: string) =>
    audit.append(query, { ...entryOf(action, by), target: target ?? null });
  const open = async (by: ChangeAuthor) => {
    if (state().status !== "member")
      throw new AppError("cluster_closed", state().status === "none" ? NO_CLUSTER : undefined);
    // A term that others know and this one does not must not be the later one.
    await within(timers, GREETING_MS, presence.greetAll());
    await budget.reopen(noted("cluster.open", by));
    // Nobody is to keep the owner waiting.
    responder.endRun();
    // Whoever is told that joining is open may try it at once, on any member.
    await within(timers, GREETING_MS, presence.greetAll());
    return budget.openUntilMs() ?? tools.clock.now();
  };
  const door = new JoinDoor(parts.addresses, responder);
  const counting = countingRuns(responder, parts.counted);
  return {
    openUntilMs: () => (state().status === "member" ? budget.openUntilMs() : undefined),
    triesLeft: () => budget.triesLeft(),
    tell: () => budget.tell(),
    hear: (from, told) => budget.hear(from, told),
    register: (api) => {
      giveTryRoute(api, budget);
      startJoinRoute(api, { door, responder: counting });
      finishJoinRoute(api, { door, responder: counting, noted: (by) => noted("cluster.admit", by) });
      openJoiningRoute(api, open);
      joinClusterRoute(api, parts);
    },
  };
}

function countingRuns(
  responder: JoinResponder,
  counted: JoiningParts["counted"],
): Pick<JoinResponder, "start" | "finish"> {
  return {
    start: async (asked) => {
      const answered = await responder.start(asked);
      counted("begun");
      return answered;
    },
    finish: async (asked, record) => {
      try {
        const answered = await responder.finish(asked, record);
        counted("admitted");
        return answered;
      } catch (error) {
        counted(error instanceof AppError && error.code === "wrong_pin" ? "wrong_pin" : "refused");
        throw error;
      }
    },
  };
}

/** Settles with `work`, or after that many milliseconds. */
async function within(timers: Timers, ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = timers.after(ms, late.resolve);
  await Promise.race([work, late.promise]);
}

/** Who opens waits so long for members that do not answer. */
const GREETING_MS = 2000;
const NONE: ClusterState = { status: "none" };
const NO_CLUSTER = "This server is in no cluster.";

function entryOf(action: string, { principal, address, requestId }: ChangeAuthor) {
  const outcome = "success" as const;
  return { actor: callerId(principal), action, outcome, address, requestId, count: 1 };
}
