import type { AuditRecorder } from "#gates/audit/index.ts";
import { listenAddressOf } from "#platform/egress/own-listeners.ts";
import type { PeerDialler } from "#platform/egress/peer-dialler.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { ClusterMetrics } from "#platform/log/metrics/cluster.ts";
import type { Database } from "#platform/storage/database.ts";
import type { ServerKey } from "#vault/seal/index.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { type DiscoveryParts, openDiscovery } from "./discovery.ts";
import { openFleet } from "./fleet/fleet.ts";
import { openJoining } from "./join/joining.ts";
import type { AddressFailureCounter } from "./join/routes/join-door.ts";
import { type Members, openMembers } from "./members/open-members.ts";
import { type NodeFacts, nodesRoute } from "./nodes-route.ts";
import { clusterRoutes } from "./routes/routes.ts";

/** The cluster that this server is in, its nodes, and how others join. */
interface ClusterService extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly members: Members;
  register(api: Api, facts: NodeFacts): void;
}

/** `directory` has the credential files. Nothing is sent before `members.start` is called. */
export async function openClusterService(
  parts: {
    readonly directory: string;
    readonly database: Database;
    readonly tools: { readonly clock: Clock; readonly random: Random };
    readonly audit: AuditRecorder;
    readonly log: Log;
    readonly dialler: PeerDialler;
    /** SHA-256 of the public keys of this server's certificates (SPKI, DER), base64url. */
    readonly tlsKeys: () => readonly string[];
    readonly addresses: AddressFailureCounter;
    readonly metrics: ClusterMetrics;
    readonly seal: Pick<ServerKey, "lock" | "status">;
    /** When the local network is told of this member. */
    readonly mdns: DiscoveryParts["mode"];
    /** Of the listeners with TLS where members come in. */
    readonly memberUrls: () => readonly string[];
    readonly hostName: string;
  } & Omit<Parameters<typeof openMembers>[0], "cluster" | "counted">,
): Promise<ClusterService> {
  const { metrics } = parts;
  const cluster = openCluster({ ...parts, random: parts.tools.random });
  const members = await openMembers({
    ...parts,
    cluster,
    counted: (outcome) => metrics.heartbeat(outcome),
  });
  const { roster, presence } = members;
  metrics.countingNodes(() => countsByState(members));
  const joining = await openJoining({
    ...parts,
    cluster,
    roster,
    presence,
    calls: members.calls,
    counted: (outcome) => metrics.joinRun(outcome),
  });
  presence.heartbeats.carry(joining);
  const fleet = openFleet({ ...parts, ...members, random: parts.tools.random, cluster });
  const discovery = openDiscovery({
    mode: parts.mdns,
    isMember: () => cluster.state().status === "member",
    isJoiningOpen: () => joining.openUntilMs() !== undefined,
    name: () => roster.self()?.name ?? parts.hostName,
    places: () => parts.memberUrls().map(listenAddressOf),
    random: parts.tools.random,
    log: parts.log,
  });
  return {
    cluster,
    members,
    register: (api, facts) => {
      nodesRoute(api, facts, { roster, presence });
      clusterRoutes(api, {
        cluster,
        told: {
          openUntilMs: joining.openUntilMs,
          triesLeft: joining.triesLeft,
          joinUrls: () => parts.facts()?.urls ?? [],
        },
        mayAskNetwork: parts.mdns !== "off",
      });
      joining.register(api);
      members.register(api);
      fleet(api);
    },
    [Symbol.asyncDispose]: async () => {
      await discovery[Symbol.asyncDispose]();
      cluster[Symbol.dispose]();
      await members[Symbol.asyncDispose]();
    },
  };
}

function countsByState({ roster, presence }: Members): ReadonlyMap<string, number> {
  const counts = new Map([
    ["up", 0],
    ["down", 0],
    ["needs_pin", 0],
  ]);
  const own = roster.self();
  for (const { id } of own === undefined ? [] : [own, ...roster.others()]) {
    const state = presence.stateOf(id);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
