import { join } from "node:path";
import { allows, allowsSome, permissionSets, rightsOf } from "#gates/access/index.ts";
import { listAuditRoute, openAuditRecorder } from "#gates/audit/index.ts";
import { type IssuedKeys, keyRoutes, openIssuedKeys } from "#identity/keys/index.ts";
import { createLayout } from "#platform/config/layout.ts";
import { isLoopback } from "#platform/config/listen.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { refuseWrongModes } from "#platform/config/modes.ts";
import { loadProcessSecrets, type ProcessSecretName, verifyFingerprints } from "#platform/config/secrets.ts";
import { createEgressClient } from "#platform/egress/egress-client.ts";
import { logBroken } from "#platform/http/access-log.ts";
import { type Listener, openListener } from "#platform/http/listener.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { AuditSink, ListenerPolicy } from "#platform/http/ports.ts";
import { createHttpServer, type HttpServer } from "#platform/http/server.ts";
import { type Clock, systemClock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import { type Random, systemRandom } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { VERSION } from "#platform/lib/version.ts";
import { createLog, type Log } from "#platform/log/log.ts";
import { type Metrics, openMetrics } from "#platform/log/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import { readMeta, writeMeta } from "#platform/storage/meta.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { infoRoutes, metricsRoute, prepareControlSocket } from "#services/control/index.ts";
import {
  Catalogue,
  createGateway,
  fetchUpstreamModels,
  gatewayApiRoutes,
  openProviders,
  RequestLog,
  RunningRequests,
} from "#services/gateway/index.ts";
import { openCredentials } from "#vault/credentials/index.ts";
import { openSeal, type Seal } from "#vault/seal/index.ts";

export interface App extends AsyncDisposable {
  /** Where it listens, the control socket left out. */
  readonly urls: readonly string[];
  readonly controlSocket: string;
  /** Whether this start made the store. */
  readonly fresh: boolean;
  readonly seal: Seal;
  readonly routes: HttpServer["routes"];
  close(): Promise<void>;
}

export interface AppOptions {
  readonly readableLog?: boolean;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: Random;
}

const HOUSEKEEPING_EVERY_MS = 10_000;

/** Wires the whole server from a checked configuration. Throws StartError, with everything undone that was begun. */
export async function startApp(config: LoadedConfig, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const log =
    options.log ?? createLog({ level: config.settings.log_level, readable: options.readableLog ?? false });
  createLayout(config);
  refuseWrongModes(config, { uid: process.getuid?.() ?? 0 });
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await openSqlite({ dataDir: config.dataDir, clock }));
  const { secrets, fresh, nodeId } = await settleIdentity(database, config, random);
  const seal = await openSeal({ database, secretsDir: join(config.dataDir, "secrets"), clock, random });
  const metrics = openMetrics({ version: VERSION, clock, sealStatus: () => seal.status() });
  undo.defer(() => metrics.close());
  const { server, stopWork } = await assemble({
    config,
    database,
    seal,
    log,
    metrics,
    tools: { clock, random },
    secrets,
    nodeId,
    urls: () => urls,
  });
  undo.defer(stopWork);
  const listeners = await openListeners(config, { server, random, log, metrics }, undo);
  const urls = listeners.filter(({ policy }) => policy.kind === "tcp").map(({ url }) => url);
  log.info({ version: VERSION }, `server started; ${encryptionWords(seal)}`);
  const running = undo.move();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= stop(listeners, config.settings.drain_timeout_ms, running));
  const controlSocket = listeners.find(({ policy }) => policy.kind === "control")?.url ?? "";
  return { urls, controlSocket, fresh, seal, routes: server.routes, close, [Symbol.asyncDispose]: close };
}

function encryptionWords(seal: Seal): string {
  const { initialized, unlocked } = seal.status();
  if (!initialized) return "encryption not yet enabled";
  return unlocked ? "encryption enabled" : "locked";
}

async function stop(
  listeners: readonly Listener[],
  drainMs: number,
  running: AsyncDisposableStack,
): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close(drainMs)));
  await running.disposeAsync();
}

async function settleIdentity(
  database: Database,
  config: LoadedConfig,
  random: Random,
): Promise<{ secrets: ReadonlyMap<ProcessSecretName, Secret>; fresh: boolean; nodeId: string }> {
  const secrets = loadProcessSecrets({ given: config.secrets, dataDir: config.dataDir, random });
  const facts = await readMeta(database.query, "node.");
  const nodeId = facts.get("id") ?? newId("node", random);
  await database.transaction(async (query) => {
    const missing = verifyFingerprints({ stored: await readMeta(query, "fingerprint."), secrets });
    await writeMeta(query, "fingerprint.", missing);
    if (!facts.has("id")) await writeMeta(query, "node.", new Map([["id", nodeId]]));
  });
  return { secrets, fresh: !facts.has("id"), nodeId };
}

interface AssembleParts {
  readonly config: LoadedConfig;
  readonly database: Database;
  readonly seal: Seal;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly secrets: ReadonlyMap<ProcessSecretName, Secret>;
  readonly nodeId: string;
  readonly urls: () => readonly string[];
}

async function assemble(
  parts: AssembleParts,
): Promise<{ server: HttpServer; stopWork: () => Promise<void> }> {
  const { config, database, seal, log, metrics, tools } = parts;
  const audit = openAuditRecorder({
    database,
    clock: tools.clock,
    log: metrics.countingRows(log, "audit"),
  });
  const secret = parts.secrets.get("API_KEY_SECRET");
  if (secret === undefined) throw new Error("API_KEY_SECRET was not settled");
  const { sets } = permissionSets({});
  const keys = await openIssuedKeys({ database, clock: tools.clock, random: tools.random, secret, audit });
  const gates: Gates = {
    lock: seal,
    authenticator: {
      authenticate: (presented) => judge(keys, presented),
      holds: (caller) => caller.kind !== "key" || keys.holds(caller.id),
    },
    authorizer: {
      allows: (caller, action, target) =>
        target === undefined
          ? allowsSome(rightsOf(caller, sets), action)
          : allows(rightsOf(caller, sets), action, target),
    },
  };
  const credentials = openCredentials({ database, seal, ...tools });
  const providers = await openProviders({ database, credentials, audit, ...tools });
  const egress = metrics.upstreams.watch(createEgressClient(), providers.ordered);
  const fetchModels = (provider: Parameters<typeof fetchUpstreamModels>[1]) =>
    fetchUpstreamModels({ egress, credentials }, provider);
  const catalogue = new Catalogue({ clock: tools.clock, ordered: providers.ordered, fetchModels });
  providers.onChange(() => catalogue.forget());
  const requests = new MeteredRequestLog(metrics, {
    database,
    log: metrics.countingRows(log, "request"),
    print: config.settings.enable_request_logs,
  });
  const running = new RunningRequests();
  keys.onRevoked((id) => running.endOf(id, new AppError("invalid_token", "The key was revoked.")));
  seal.onLock(() => running.endAll(new AppError("server_locked")));
  const auditSink: AuditSink = { refused: (event) => audit.refusal(event) };
  const gateway = createGateway({
    gates,
    sinks: { audit: auditSink, log, requests },
    upstream: { egress, credentials, catalogue },
    running,
    bodyLimitBytes: config.settings.gateway_body_limit_bytes,
  });
  const server = await createHttpServer({
    gates,
    audit: auditSink,
    log,
    metrics: metrics.http,
    tools,
    gateway,
    register: (api) => {
      infoRoutes(api, {
        version: VERSION,
        nodeId: parts.nodeId,
        sealStatus: () => seal.status(),
        listeners: parts.urls,
        startedAt: tools.clock.now(),
      });
      metricsRoute(api, metrics);
      keyRoutes(api, { keys, sets, gates });
      listAuditRoute(api, audit);
      gatewayApiRoutes(api, { providers, fetchModels, database, flush: () => requests.flush() });
    },
  });
  const housekeeping = setInterval(
    () => void keepHouse(log, [() => keys.flush(), () => audit.flush()]),
    HOUSEKEEPING_EVERY_MS,
  );
  const stopWork = async () => {
    clearInterval(housekeeping);
    await server.close();
    await egress.close();
    await requests.flush();
    await keepHouse(log, [() => keys.flush(), () => audit.close()]);
    seal.lock();
  };
  return { server, stopWork };
}

/** Every request that is kept is counted as well. */
class MeteredRequestLog extends RequestLog {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics, parts: ConstructorParameters<typeof RequestLog>[0]) {
    super(parts);
    this.#metrics = metrics;
  }

  override add(row: Parameters<RequestLog["add"]>[0]): void {
    super.add(row);
    this.#metrics.gateway.finished(row);
  }
}

function judge(
  keys: IssuedKeys,
  presented: string | undefined,
): ReturnType<Gates["authenticator"]["authenticate"]> {
  const verdict = keys.authenticate(presented);
  if (!verdict.ok) return { refused: verdict.reason };
  keys.markUsed(verdict.key.id);
  return { caller: { kind: "key", id: verdict.key.id, permissionSets: verdict.key.permissionSets } };
}

async function keepHouse(log: Log, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  for (const task of tasks) {
    await task().catch((error: unknown) =>
      log.error(
        { detail: error instanceof Error ? error.message : "" },
        "housekeeping failed; it is tried again",
      ),
    );
  }
}

async function openListeners(
  config: LoadedConfig,
  { server, random, log, metrics }: { server: HttpServer; random: Random; log: Log; metrics: Metrics },
  undo: AsyncDisposableStack,
): Promise<Listener[]> {
  const { settings } = config;
  const tcp: Omit<ListenerPolicy, "anonymous"> = {
    name: "local",
    kind: "tcp",
    allowedHosts: new Set(settings.allowed_hosts),
    allowedOrigins: new Set(settings.allowed_origins),
  };
  const wanted = config.listen.map((target) => ({
    target,
    policy: { ...tcp, anonymous: !settings.require_api_key && isLoopback(target.host) },
  }));
  const control = {
    target: { socketPath: await prepareControlSocket(config.dataDir) },
    policy: { ...tcp, name: "control", kind: "control" as const, anonymous: false },
  };
  const listeners: Listener[] = [];
  for (const { target, policy } of [...wanted, control]) {
    const listener = await openListener({
      target,
      policy,
      front: server.front,
      newRequestId: () => newId("req", random),
      onBroken: (broken) => {
        logBroken(log, policy, broken);
        metrics.http.broken(broken.code);
      },
    });
    metrics.listening(policy);
    undo.defer(() => listener.close(0));
    listeners.push(listener);
  }
  return listeners;
}
