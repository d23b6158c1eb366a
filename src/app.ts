import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { type Environment, processEnvironment } from "#platform/config/environment.ts";
import { createLayout } from "#platform/config/layout.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { refuseWrongModes } from "#platform/config/modes.ts";
import type { EgressParts } from "#platform/egress/egress-client.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { HttpServer } from "#platform/http/server.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import { type Clock, systemClock } from "#platform/lib/clock.ts";
import { type Random, systemRandom } from "#platform/lib/random.ts";
import { systemTimers, type Timers } from "#platform/lib/timers.ts";
import { VERSION } from "#platform/lib/version.ts";
import { createLog, type LogSink } from "#platform/log/log.ts";
import { openMetrics, type ThreadCounts } from "#platform/log/metrics/metrics.ts";
import { standardOutput } from "#platform/log/standard-output.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import type { ReloadReport } from "#services/control/index.ts";
import type { DeclaredProvider } from "#services/gateway/index.ts";
import { openSeal, type Seal } from "#vault/seal/index.ts";
import { assemble } from "./app/assemble.ts";
import { BUILT_DASHBOARD, readDashboard } from "./app/dashboard.ts";
import type { Declared } from "./app/declared/declared.ts";
import { openDisk } from "./app/disk.ts";
import type { Listeners } from "./app/listeners/listeners.ts";
import { openListeners } from "./app/listeners/open-listeners.ts";
import { reachesBeyond } from "./app/listeners/spec.ts";
import { settleIdentity } from "./app/node-identity.ts";
import { Reloads } from "./app/reloads.ts";
import { SEALED_COLUMNS } from "./app/sealed-columns.ts";
import type { WorkerProgram } from "./app/workers/workers.ts";

export interface App extends AsyncDisposable {
  /** Where it listens, the control socket left out. */
  readonly urls: readonly string[];
  readonly controlSocket: string;
  readonly listeners: Pick<Listeners, "apply" | "specs" | "checkCertificates">;
  /** Whether this start made the store. */
  readonly fresh: boolean;
  readonly seal: Seal;
  /** What the first user signs in with, where nobody did and this machine is not the only one that could. */
  readonly setupCode: string | undefined;
  readonly routes: HttpServer["routes"];
  /**
   * Reads the configuration anew and puts it in force as a whole. Throws AppError `config_refused` with what is wrong, and
   * everything is as it was.
   */
  reload(by?: ChangeAuthor): Promise<ReloadReport>;
  /** These are the configuration file's providers from now on. Throws DeclaredProviderProblems, with nothing changed. */
  declareProviders(list: readonly DeclaredProvider[]): Promise<void>;
  close(): Promise<void>;
}

export interface AppOptions {
  /** Where the log goes; standard output unless given. */
  readonly logSink?: LogSink;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The time that heartbeats of the cluster go by. */
  readonly timers?: Timers;
  /** Bytes free on the file system of a directory; asked of the system unless given. */
  readonly freeBytes?: (directory: string) => number;
  /** What a passphrase costs to stretch; the usual unless given. */
  readonly sealCost?: Argon2Parameters;
  /** How the way out resolves names, and its timeouts. */
  readonly egress?: Pick<EgressParts, "lookup" | "timeouts">;
  /** What providers of the configuration file name as `env`; the process's own unless given. */
  readonly environment?: Environment;
  /** Reads the configuration again, for a reload; without it there is none. Throws ConfigProblems. */
  readonly readConfig?: () => LoadedConfig<Declared>;
  /** The thread to open the store on, where one was started before. */
  readonly storageThread?: Worker;
  /** The program of the worker threads, where they are not to run the usual one. */
  readonly workerProgram?: WorkerProgram;
  /** Where the built dashboard lies; where the build puts it unless given. */
  readonly dashboardDir?: string;
}

/** Wires the whole server from a checked configuration. Throws StartError, with everything undone that was begun. */
export async function startApp(config: LoadedConfig<Declared>, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const sink = options.logSink ?? (await standardOutput({ readable: false }));
  const log = createLog({ level: config.settings.log_level, sink });
  createLayout(config);
  refuseWrongModes(config, { uid: process.getuid?.() ?? 0 });
  await using undo = new AsyncDisposableStack();
  const timers = options.timers ?? systemTimers;
  const { dataDir, settings } = config;
  const disk = openDisk({ dataDir, settings, random, timers, freeBytes: options.freeBytes });
  const database = undo.use(
    await openSqlite({ dataDir, clock, config, makeRoom: disk.makeRoom, thread: options.storageThread }),
  );
  undo.use(disk.watch);
  const { apiKeySecret, auditSecret, jwtSecret, fresh, nodeId } = await settleIdentity(
    database,
    config,
    random,
  );
  let countElsewhere: () => Promise<ThreadCounts[]> = async () => [];
  const others = () => countElsewhere();
  const metrics = openMetrics({
    version: VERSION,
    clock,
    sealStatus: () => seal.status(),
    disk: () => disk.watch.look(),
    others,
  });
  undo.defer(() => metrics.close());
  const audit = openAuditRecorder({
    database,
    clock,
    log: metrics.countingRows(log, "audit"),
    secret: auditSecret,
    directory: join(dataDir, "db"),
    holdsRefusals: () => disk.watch.state === "full",
  });
  await audit.start();
  const seal = undo.use(
    await openSeal({
      database,
      secretsDir: join(config.dataDir, "secrets"),
      clock,
      random,
      sealed: SEALED_COLUMNS,
      audit,
      log,
      cost: options.sealCost,
      autoUnlock: config.serverKey,
    }),
  );
  let urls: () => readonly string[] = () => [];
  let memberUrls: () => readonly string[] = () => [];
  let tlsKeys: () => readonly string[] = () => [];
  let isReachable = () => true;
  const reloading: { current?: Reloads } = {};
  const assembled = await assemble({
    config,
    database,
    seal,
    audit,
    log,
    sink,
    metrics,
    tools: { clock, random },
    apiKeySecret,
    sealCost: options.sealCost,
    nodeId,
    urls: () => urls(),
    memberUrls: () => memberUrls(),
    tlsKeys: () => tlsKeys(),
    timers,
    disk: disk.watch,
    jwtSecret,
    isReachable: () => isReachable(),
    egress: options.egress ?? {},
    environment: options.environment ?? processEnvironment(),
    workerProgram: options.workerProgram,
    dashboard: readDashboard(options.dashboardDir ?? BUILT_DASHBOARD, log),
    reloads: () => begun(reloading.current),
  });
  const { server, workers, endEvents, stopWork } = assembled;
  countElsewhere = () => workers.counts();
  undo.defer(stopWork);
  undo.use(workers);
  const ways = {
    front: server.front,
    gatewayFront: server.gatewayFront,
    clock,
    random,
    log,
    metrics,
    workers,
  };
  const { listeners, control } = await openListeners(config, ways, undo);
  urls = () => listeners.urls();
  memberUrls = () => listeners.memberUrls();
  tlsKeys = () => listeners.publicKeys();
  await assembled.startCluster();
  isReachable = () => listeners.specs.some(reachesBeyond);
  const { readConfig = () => config } = options;
  const reloads = new Reloads({ ...assembled, config, readConfig, listeners, database, clock, random, log });
  reloading.current = reloads;
  undo.use(reloads.watch());
  if (config.serverKey !== undefined && !seal.status().initialized)
    log.warn({}, "a server key is given to start with, but none is set; set it with: claviger key init");
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
    setupCode: assembled.people.wantedSetupCode(),
    routes: server.routes,
    reload: (by) => reloads.reload(by),
    declareProviders: assembled.declareProviders,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function begun<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error("asked for before the start");
  return part;
}

function encryptionWords(seal: Seal): string {
  const { initialized, unlocked } = seal.status();
  if (!initialized) return "encryption not yet enabled";
  if (unlocked) return "encryption enabled";
  return "locked; unlock it with: claviger key unlock, or POST /api/v1/key/unlock";
}

async function stop(
  serving: readonly { close(drainMs: number): Promise<void> }[],
  drainMs: number,
  running: AsyncDisposableStack,
): Promise<void> {
  await Promise.all(serving.map((each) => each.close(drainMs)));
  await running.disposeAsync();
}
