import { hostname } from "node:os";
import { join } from "node:path";
import type { AuditRecorder } from "#gates/audit/index.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import type { EgressParts } from "#platform/egress/egress-client.ts";
import { listenAddressOf } from "#platform/egress/own-listeners.ts";
import { createPeerDialler } from "#platform/egress/peer-dialler.ts";
import type { EventSink } from "#platform/events/event.ts";
import type { NodeGate } from "#platform/http/ports.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import { type Cluster, type NodeFacts, openClusterService } from "#services/cluster/index.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { Limits } from "./limits.ts";
import type { ownPresence } from "./own-node.ts";
import { reachableUrls } from "./own-urls.ts";

/** What leads to the cluster. */
interface OwnCluster {
  readonly cluster: Cluster;
  /** Judges the other nodes. */
  readonly nodes: NodeGate;
  readonly register: (api: Api) => void;
  /** Begins to greet the other nodes, now that it is known where this server listens. */
  readonly start: () => Promise<void>;
  /** What this server tells of itself is another: the other nodes are to know. */
  readonly greetSoon: () => void;
  readonly close: () => Promise<void>;
}

/** The cluster of the credentials beside the configuration, and its routes. */
export async function openOwnCluster(parts: {
  readonly config: Pick<LoadedConfig, "configDir" | "settings">;
  readonly database: Database;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly timers: Timers;
  readonly nodeId: string;
  readonly audit: AuditRecorder;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "cluster">;
  readonly events: EventSink;
  readonly egress: EgressParts;
  readonly urls: () => readonly string[];
  /** Of the listeners with TLS where members come in. */
  readonly memberUrls: () => readonly string[];
  /** SHA-256 of the public keys of this server's certificates (SPKI, DER), base64url. */
  readonly tlsKeys: () => readonly string[];
  readonly addresses: Limits["addresses"];
  readonly seal: Pick<Seal, "lock" | "status">;
  readonly facts: NodeFacts;
  readonly presence: ReturnType<typeof ownPresence>;
}): Promise<OwnCluster> {
  const { config, metrics, facts } = parts;
  const dialler = createPeerDialler({
    ...parts.egress,
    ownListeners: () => parts.urls().map(listenAddressOf),
  });
  let listens = false;
  const ownFacts = () => ({
    hostName: hostname(),
    urls: reachableUrls(parts.memberUrls()),
    tlsKeys: parts.tlsKeys(),
  });
  const service = await openClusterService({
    ...parts,
    directory: join(config.configDir, "credentials"),
    dialler,
    metrics: metrics.cluster,
    mdns: config.settings.mdns,
    hostName: hostname(),
    own: parts.presence,
    facts: () => (listens ? ownFacts() : undefined),
  });
  const { cluster, members } = service;
  return {
    cluster,
    nodes: members.gate,
    register: (api) => service.register(api, facts),
    start: async () => {
      listens = true;
      await members.start();
    },
    greetSoon: () => members.presence.greetSoon(),
    close: async () => {
      await service[Symbol.asyncDispose]();
      await dialler[Symbol.asyncDispose]();
    },
  };
}
