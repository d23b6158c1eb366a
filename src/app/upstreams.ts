import type { AuditRecorder } from "#gates/audit/index.ts";
import type { Environment } from "#platform/config/environment.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { createEgressClient, type EgressParts } from "#platform/egress/egress-client.ts";
import { listenAddressOf } from "#platform/egress/own-listeners.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import type { DiskWatch } from "#platform/storage/disk-watch.ts";
import {
  askUpstream,
  type DeclaredProvider,
  type Gateway,
  gatewayApiRoutes,
  openGateway,
  openProviders,
  RollUp,
} from "#services/gateway/index.ts";
import { openCredentials } from "#vault/credentials/index.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { UsageSums } from "./usage-sums.ts";
import type { Workers } from "./workers/workers.ts";

/** Everything that leads to an upstream, as the main thread has it. */
export interface Upstreams {
  readonly gateway: Gateway;
  /** `identities`: those of the configuration file. */
  register(api: Api, identities: () => readonly { readonly id: string; readonly name: string }[]): void;
  /** These are the configuration file's providers from now on. Throws DeclaredProviderProblems, with nothing changed. */
  declareProviders(list: readonly DeclaredProvider[]): Promise<void>;
  close(): Promise<void>;
}

/** Wires providers, their credentials, the one way out, and the gateway that passes requests on to them. */
export async function openUpstreams(parts: {
  readonly config: LoadedConfig;
  readonly database: Database;
  readonly seal: Seal;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly urls: () => readonly string[];
  readonly audit: AuditRecorder;
  readonly auditSink: AuditSink;
  readonly gates: Gates;
  readonly egress: EgressParts;
  readonly environment: Environment;
  readonly workers: Workers;
  readonly usage: UsageSums;
  readonly disk: DiskWatch;
  readonly timers: Timers;
}): Promise<Upstreams> {
  const { config, database, log, metrics, tools, audit, gates, workers } = parts;
  const credentials = openCredentials({
    database,
    seal: parts.seal,
    ...tools,
    environment: (name) => parts.environment[name],
    onCoolDown: (credentialId, untilMs) => workers.tell({ kind: "cool-down", credentialId, untilMs }),
  });
  const client = createEgressClient({
    ...parts.egress,
    ownListeners: () => parts.urls().map(listenAddressOf),
    onDenied: ({ origin }) => audit.refusal(deniedConnect(origin)),
  });
  const verdict = (url: string) => client.verdict(url);
  const providers = await openProviders({ database, credentials, audit, verdict, ...tools });
  const egress = metrics.upstreams.watch(client, () => providers.ordered());
  const upstream = { egress, credentials, clock: tools.clock };
  const asking = askUpstream(upstream);
  const gateway = openGateway({
    gates,
    sinks: {
      audit: parts.auditSink,
      log,
      rows: {
        database,
        log: metrics.countingRows(log, "request"),
        isPaused: () => parts.disk.low.raised,
        onLost: () => metrics.requestRowLost(),
        onRow: (row) => {
          metrics.gateway.finished(row);
          parts.usage.add(row);
        },
      },
    },
    upstream,
    providers: {
      ordered: () => providers.ordered(),
      fetchModels: asking.fetchModels,
    },
    settings: config.settings,
  });
  const rollUp = new RollUp({ database, clock: tools.clock, timers: parts.timers, log });
  workers.serve({ audit, providers, credentials, modelsOf: gateway.modelsOf, usage: parts.usage });
  providers.onChange((id) => {
    gateway.changed(id);
    return workers.changed(id);
  });
  return {
    gateway,
    async declareProviders(list) {
      await providers.declare(list);
      for (const { name } of list) warnOfMissing(log, await providers.view(name));
    },
    register: (api, identities) =>
      gatewayApiRoutes(api, {
        identities,
        gates,
        providers,
        test: asking.test,
        models: gateway.directory,
        database,
        clock: tools.clock,
        flush: async () => {
          await Promise.all([gateway.flush(), workers.settle()]);
        },
      }),
    close: async () => {
      await egress.close();
      await gateway.flush();
      await rollUp.close();
    },
  };
}

/** What cannot be used is said when it is read, not only when the first request fails. */
function warnOfMissing(
  log: Log,
  provider: {
    readonly name: string;
    readonly credentials: readonly { readonly problem?: string | undefined }[];
  },
): void {
  for (const { problem } of provider.credentials)
    if (problem !== undefined)
      log.warn({ provider: provider.name, detail: problem }, "a credential of a provider is missing");
}

/** A connection the egress policy refused: nobody's request alone, so it is counted like a stranger's. */
export function deniedConnect(origin: string) {
  const outcome = "denied" as const;
  return {
    actor: null,
    action: "egress.connect",
    route: origin,
    outcome,
    address: "outgoing",
    requestId: null,
  };
}
