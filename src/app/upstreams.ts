import type { AuditRecorder } from "#gates/audit/index.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { createEgressClient, type EgressParts } from "#platform/egress/egress-client.ts";
import { listenAddressOf } from "#platform/egress/own-listeners.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import type { Api, RawFamily } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import {
  Catalogue,
  createGateway,
  fetchUpstreamModels,
  gatewayApiRoutes,
  openPrices,
  openProviders,
  RequestLog,
  RunningRequests,
  testUpstream,
} from "#services/gateway/index.ts";
import { openCredentials } from "#vault/credentials/index.ts";
import type { Seal } from "#vault/seal/index.ts";

/** Everything that leads to an upstream. */
export interface Upstreams {
  readonly gateway: RawFamily;
  readonly running: RunningRequests;
  register(api: Api): void;
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
}): Promise<Upstreams> {
  const { config, database, log, metrics, tools, audit, gates } = parts;
  const credentials = openCredentials({ database, seal: parts.seal, ...tools });
  const client = createEgressClient({
    ...parts.egress,
    ownListeners: () => parts.urls().map(listenAddressOf),
    onDenied: ({ origin }) => audit.refusal(deniedConnect(origin)),
  });
  const verdict = (url: string) => client.verdict(url);
  const providers = await openProviders({ database, credentials, audit, verdict, ...tools });
  const egress = metrics.upstreams.watch(client, providers.ordered);
  const upstream = { egress, credentials, clock: tools.clock };
  const fetchModels = (provider: Parameters<typeof fetchUpstreamModels>[1]) =>
    fetchUpstreamModels(upstream, provider);
  const providersOf = (isHttpApi: boolean) =>
    providers.ordered().filter(({ kind }) => (kind === "http") === isHttpApi);
  const catalogue = new Catalogue({ clock: tools.clock, ordered: () => providersOf(false), fetchModels });
  providers.onChange((id) => catalogue.changed(id));
  const requests = new RequestLog({
    database,
    log: metrics.countingRows(log, "request"),
    print: config.settings.enable_request_logs,
    onRow: (row) => metrics.gateway.finished(row),
  });
  const running = new RunningRequests();
  const gateway = createGateway({
    gates,
    sinks: { audit: parts.auditSink, log, requests },
    upstream: {
      ...upstream,
      catalogue,
      httpApi: (name) => providersOf(true).find((api) => api.name === name),
      prices: openPrices(config.settings.prices),
    },
    running,
    bodyLimitBytes: config.settings.gateway_body_limit_bytes,
  });
  const flush = () => requests.flush();
  return {
    gateway,
    running,
    register: (api) =>
      gatewayApiRoutes(api, {
        gates,
        providers,
        test: (provider) => testUpstream(upstream, provider),
        database,
        clock: tools.clock,
        flush,
      }),
    close: async () => {
      await egress.close();
      await flush();
    },
  };
}

/** A connection the egress policy refused: nobody's request alone, so it is counted like a stranger's. */
function deniedConnect(origin: string) {
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
