import { join } from "node:path";
import { permissionSets } from "#gates/access/index.ts";
import { listAuditRoute, openAuditRecorder } from "#gates/audit/index.ts";
import { keyRoutes, openIssuedKeys } from "#identity/keys/index.ts";
import { type Environment, processEnvironment } from "#platform/config/environment.ts";
import { createLayout } from "#platform/config/layout.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { refuseWrongModes } from "#platform/config/modes.ts";
import type { EgressParts } from "#platform/egress/egress-client.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import { createHttpServer, type HttpServer } from "#platform/http/server.ts";
import { type Clock, systemClock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { type Random, systemRandom } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { VERSION } from "#platform/lib/version.ts";
import { createLog, type Log, type LogSink } from "#platform/log/log.ts";
import { type Metrics, openMetrics, type ThreadCounts } from "#platform/log/metrics/metrics.ts";
import { standardOutput } from "#platform/log/standard-output.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { infoRoutes, metricsRoute, openapiRoute, sseRoute } from "#services/control/index.ts";
import type { DeclaredProvider } from "#services/gateway/index.ts";
import { openSeal, type Seal } from "#vault/seal/index.ts";
import type { Declared } from "./app/declared/declared.ts";
import { openEventBus, openListening } from "./app/events.ts";
import { createGates } from "./app/gates.ts";
import { attachLimits, createLimitsMemory, seedSlot, seedWindows } from "./app/limits.ts";
import type { Listeners } from "./app/listeners/listeners.ts";
import { openListeners } from "./app/listeners/open-listeners.ts";
import { settleIdentity } from "./app/node-identity.ts";
import { openUpstreams } from "./app/upstreams.ts";
import { openWorkers } from "./app/workers/open-workers.ts";
import type { WorkerProgram, Workers } from "./app/workers/workers.ts";

export interface App extends AsyncDisposable {
  /** Where it listens, the control socket left out. */
  readonly urls: readonly string[];
  readonly controlSocket: string;
  readonly listeners: Pick<Listeners, "apply" | "specs" | "checkCertificates">;
  /** Whether this start made the store. */
  readonly fresh: boolean;
  readonly seal: Seal;
  readonly routes: HttpServer["routes"];
  /** These are the configuration file's providers from now on. Throws DeclaredProviderProblems, with nothing changed. */
  declareProviders(list: readonly DeclaredProvider[]): Promise<void>;
  close(): Promise<void>;
}

export interface AppOptions {
  /** Where the log goes; standard output unless given. */
  readonly logSink?: LogSink;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How the way out resolves names, and its timeouts. */
  readonly egress?: Pick<EgressParts, "lookup" | "timeouts">;
  /** What providers of the configuration file name as `env`; the process's own unless given. */
  readonly environment?: Environment;
  /** The program of the worker threads, where they are not to run the usual one. */
  readonly workerProgram?: WorkerProgram;
}

const HOUSEKEEPING_EVERY_MS = 10_000;
/** The running requests of a key that expires end within a second of it. */
const EXPIRIES_EVERY_MS = 250;

/** Wires the whole server from a checked configuration. Throws StartError, with everything undone that was begun. */
export async function startApp(config: LoadedConfig<Declared>, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const sink = options.logSink ?? (await standardOutput({ readable: false }));
  const log = createLog({ level: config.settings.log_level, sink });
  createLayout(config);
  refuseWrongModes(config, { uid: process.getuid?.() ?? 0 });
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await openSqlite({ dataDir: config.dataDir, clock }));
  const { apiKeySecret, fresh, nodeId } = await settleIdentity(database, config, random);
  const seal = await openSeal({ database, secretsDir: join(config.dataDir, "secrets"), clock, random });
  let countElsewhere: () => Promise<ThreadCounts[]> = async () => [];
  const others = () => countElsewhere();
  const metrics = openMetrics({ version: VERSION, clock, sealStatus: () => seal.status(), others });
  undo.defer(() => metrics.close());
  let urls: () => readonly string[] = () => [];
  const { server, workers, declareProviders, endEvents, stopWork } = await assemble({
    config,
    database,
    seal,
    log,
    sink,
    metrics,
    tools: { clock, random },
    apiKeySecret,
    nodeId,
    urls: () => urls(),
    egress: options.egress ?? {},
    environment: options.environment ?? processEnvironment(),
    workerProgram: options.workerProgram,
  });
  countElsewhere = () => workers.counts();
  undo.defer(stopWork);
  undo.use(workers);
  const ways = { front: server.front, clock, random, log, metrics, workers };
  const { listeners, control } = await openListeners(config, ways, undo);
  urls = () => listeners.urls();
  log.info({ version: VERSION }, `server started; ${encryptionWords(seal)}`);
  const running = undo.move();
  let closed: Promise<void> | undefined;
  const close = () => {
    endEvents();
    closed ??= stop([listeners, control, workers], config.settings.drain_timeout_ms, running);
    return closed;
  };
  return {
    get urls() {
      return listeners.urls();
    },
    controlSocket: control.url,
    listeners,
    fresh,
    seal,
    routes: server.routes,
    declareProviders,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function encryptionWords(seal: Seal): string {
  const { initialized, unlocked } = seal.status();
  if (!initialized) return "encryption not yet enabled";
  return unlocked ? "encryption enabled" : "locked";
}

async function stop(
  serving: readonly { close(drainMs: number): Promise<void> }[],
  drainMs: number,
  running: AsyncDisposableStack,
): Promise<void> {
  await Promise.all(serving.map((each) => each.close(drainMs)));
  await running.disposeAsync();
}

interface ServerParts {
  readonly config: LoadedConfig<Declared>;
  readonly database: Database;
  readonly seal: Seal;
  readonly log: Log;
  readonly sink: LogSink;
  readonly metrics: Metrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly apiKeySecret: Secret;
  readonly nodeId: string;
  readonly urls: () => readonly string[];
  readonly egress: NonNullable<AppOptions["egress"]>;
  readonly environment: Environment;
  readonly workerProgram: AppOptions["workerProgram"];
}

interface Assembled extends Pick<App, "declareProviders"> {
  readonly server: HttpServer;
  readonly workers: Workers;
  readonly endEvents: () => void;
  readonly stopWork: () => Promise<void>;
}

/** Every feature, handed what it uses. */
async function assemble(parts: ServerParts): Promise<Assembled> {
  const { database, seal, log, metrics, tools } = parts;
  const auditLog = metrics.countingRows(log, "audit");
  const audit = openAuditRecorder({ database, clock: tools.clock, log: auditLog });
  const { sets } = permissionSets(parts.config.resources.permissionSets);
  const bus = await openEventBus({ database, clock: tools.clock, metrics });
  const settle = async () => {
    await Promise.all([workers.settle(), upstreams.gateway.flush()]);
  };
  const keys = await openIssuedKeys({
    database,
    ...tools,
    secret: parts.apiKeySecret,
    audit,
    events: bus,
    beforeLimits: async (counted) => {
      await settle();
      await seedSlot({ database, clock: tools.clock }, limits, counted);
    },
  });
  const limitsMemory = createLimitsMemory({
    principals: keys.memory.capacity,
    threads: parts.config.settings.workers,
    random: tools.random,
  });
  const limits = attachLimits(limitsMemory, 0);
  await seedWindows({ database, clock: tools.clock, keys }, limits);
  const gates = createGates({ lock: seal, keys: keys.reader, sets, limits });
  const auditSink: AuditSink = { refused: (event) => audit.refusal(event) };
  const [lock, watched] = [new SharedFlag(), new SharedFlag()];
  const listening = openListening({ bus, clock: tools.clock, metrics, gates, watched });
  const workers = openWorkers({
    ...parts,
    shared: { lock: lock.memory, watched: watched.memory, keys: keys.memory, limits: limitsMemory },
    onLost: (thread) => {
      limits.principals.forget(thread);
      limits.addresses.forget(thread);
    },
    program: parts.workerProgram,
  });
  const upstreams = await openUpstreams({
    ...parts,
    audit,
    gates,
    auditSink,
    workers,
    usage: listening.usage,
  });
  keys.onEnded((keyId) => {
    upstreams.gateway.endOf(keyId, new AppError("invalid_token", "The key is no longer in force."));
    workers.tell({ kind: "key-ended", keyId });
    listening.streams.endOf(keyId);
  });
  seal.onLock(() => {
    lock.raise();
    workers.tell({ kind: "locked" });
    upstreams.gateway.endAll(new AppError("server_locked"));
    bus.publish("seal.locked", {});
    listening.streams.endAll("the server is locked");
  });
  const server = await createHttpServer({
    gates,
    audit: auditSink,
    log,
    metrics: metrics.http,
    tools,
    gateway: upstreams.gateway.family,
    register: (api) => {
      infoRoutes(api, {
        version: VERSION,
        nodeId: parts.nodeId,
        sealStatus: () => seal.status(),
        listeners: parts.urls,
        startedAt: tools.clock.now(),
      });
      metricsRoute(api, metrics);
      sseRoute(api, listening.streams);
      keyRoutes(api, { keys, sets, gates, settle });
      listAuditRoute(api, {
        list: audit.list,
        flush: async () => {
          await workers.settle();
          await audit.flush();
        },
      });
      upstreams.register(api);
      openapiRoute(api, { version: VERSION, routes: () => server.routes() });
    },
  });
  const flushing = setInterval(
    () => void keepHouse(log, [() => keys.flush(), () => audit.flush()]),
    HOUSEKEEPING_EVERY_MS,
  );
  const expiring = setInterval(() => keys.endExpired(), EXPIRIES_EVERY_MS);
  const stopWork = async () => {
    clearInterval(flushing);
    clearInterval(expiring);
    await server.close();
    await upstreams.close();
    await keepHouse(log, [() => keys.flush(), () => audit.close()]);
    seal.lock();
  };
  return {
    server,
    workers,
    declareProviders: upstreams.declareProviders,
    endEvents: () => listening.streams.close(),
    stopWork,
  };
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
