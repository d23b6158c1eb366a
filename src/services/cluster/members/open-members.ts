import type { PeerDialler } from "#platform/egress/peer-dialler.ts";
import type { EventSink } from "#platform/events/event.ts";
import type { NodeGate } from "#platform/http/ports.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Cluster } from "../cluster.ts";
import { HeardNodes } from "./heard.ts";
import type { OwnPresence } from "./heartbeat.ts";
import { heartbeatRoute } from "./heartbeat-route.ts";
import { createMemberCalls, type MemberCalls } from "./member-calls.ts";
import { createNodeGate } from "./node-gate.ts";
import { openRoster } from "./open-roster.ts";
import type { OwnFacts } from "./own-record.ts";
import { GreetedPresence, type HeartbeatOutcome } from "./presence.ts";
import type { Roster } from "./roster.ts";

interface MembersParts {
  readonly nodeId: string;
  readonly cluster: Cluster;
  readonly database: Database;
  readonly dialler: PeerDialler;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly timers: Timers;
  readonly events: EventSink;
  readonly log: Log;
  readonly own: OwnPresence;
  /** Undefined until it is known where this server listens. */
  readonly facts: () => Pick<OwnFacts, "hostName" | "urls" | "tlsKeys"> | undefined;
  readonly counted: (outcome: HeartbeatOutcome) => void;
}

/** The nodes of the cluster: who they are, which of them live, and the way to them. */
export interface Members extends AsyncDisposable {
  readonly roster: Roster;
  readonly presence: GreetedPresence;
  readonly calls: MemberCalls;
  /** Judges the other nodes. */
  readonly gate: NodeGate;
  register(api: Api): void;
  /** Begins to greet them: it is known where this server listens. */
  start(): Promise<void>;
}

/** Those of the cluster that the credential files are of, now and whenever they change. */
export async function openMembers(parts: MembersParts): Promise<Members> {
  const { nodeId: ownId, cluster, tools, timers, log } = parts;
  const state = () => cluster.state();
  const monotonicMs = () => timers.monotonicMs();
  const heard = new HeardNodes(monotonicMs);
  const isHeard = (id: string) => heard.isHeard(id);
  const roster = await openRoster({ ...parts, ...tools, ownId, monotonicMs, isHeard });
  const calls = createMemberCalls({ ownId, state, dialler: parts.dialler });
  const presence = new GreetedPresence({ ...parts, ...tools, roster, state, calls, heard });
  const unread = (error: unknown) =>
    log.error({ detail: String(error) }, "the list of nodes could not be read or written");
  cluster.onInit(() => roster.load());
  cluster.onChange(() => void roster.load().catch(unread));
  return {
    roster,
    presence,
    calls,
    gate: createNodeGate({ ownId, state, directory: { find: (id) => liveOf(roster, id) } }),
    register: (api) => heartbeatRoute(api, presence),
    start: async () => {
      // A disk that is full keeps no server from starting.
      await roster.refresh().catch(unread);
      presence.start();
    },
    [Symbol.asyncDispose]: () => presence[Symbol.asyncDispose](),
  };
}

function liveOf(roster: Roster, id: string): { readonly nodeKey: string } | undefined {
  const record = roster.byId(id);
  return record === undefined || record.left ? undefined : { nodeKey: record.node_key };
}
