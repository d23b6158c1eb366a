import { permissionSetRoute } from "#gates/access/index.ts";
import { type AuditRecorder, auditRoutes } from "#gates/audit/index.ts";
import {
  attachIdentities,
  createIdentityMemory,
  identityRoutes,
  openDeclaredIdentities,
} from "#identity/declared/index.ts";
import { keyRoutes, openIssuedKeys } from "#identity/keys/index.ts";
import { openPeople, type People, peopleRoutes } from "#identity/users/index.ts";
import type { Environment } from "#platform/config/environment.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { loadAuthKey } from "#platform/config/secrets.ts";
import type { EgressParts } from "#platform/egress/egress-client.ts";
import type { EventBus } from "#platform/events/event-bus.ts";
import { createDashboard, type DashboardFiles } from "#platform/http/dashboard.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import { createHttpServer, type HttpServer } from "#platform/http/server.ts";
import { AddressRanges } from "#platform/lib/address-ranges.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Timers } from "#platform/lib/timers.ts";
import { VERSION } from "#platform/lib/version.ts";
import type { Log, LogSink } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import type { DiskWatch } from "#platform/storage/disk-watch.ts";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { MemberDigest } from "#services/cluster/index.ts";
import {
  configRoutes,
  firstRunRoutes,
  infoRoutes,
  metricsRoute,
  openapiRoute,
  type RunningConfig,
  sseRoute,
} from "#services/control/index.ts";
import type { DeclaredProvider } from "#services/gateway/index.ts";
import { Backups, backupRoutes } from "#vault/backup/index.ts";
import { type Seal, serverKeyRoutes } from "#vault/seal/index.ts";
import { type ApiKeySecret, travelWithStore } from "./api-key-secret.ts";
import { openOwnCluster } from "./cluster.ts";
import type { Declared } from "./declared/declared.ts";
import { roomGate, tellsOfDisk } from "./disk.ts";
import { openEventBus, openListening } from "./events.ts";
import { followMembers } from "./follow-members.ts";
import { createGates } from "./gates.ts";
import { InForce } from "./in-force.ts";
import { attachLimits, createLimitsMemory, seedSlot, seedWindows } from "./limits.ts";
import { ownNode, ownPresence } from "./own-node.ts";
import { Retention } from "./retention.ts";
import { followSeal, tellsOfReseal } from "./server-key.ts";
import { SetsInForce } from "./sets-in-force.ts";
import { openUpstreams } from "./upstreams.ts";
import { openWorkers } from "./workers/open-workers.ts";
import type { WorkerProgram, Workers } from "./workers/workers.ts";

/** What a server is put together from. */
export interface ServerParts {
  readonly config: LoadedConfig<Declared>;
  readonly database: Database;
  readonly seal: Seal;
  readonly audit: AuditRecorder;
  readonly log: Log;
  readonly sink: LogSink;
  readonly metrics: Metrics;
  readonly tools: { readonly clock: Clock; readonly random: Random };
  readonly apiKeySecret: ApiKeySecret;
  /** What trying a password costs. */
  readonly sealCost: Argon2Parameters | undefined;
  readonly nodeId: string;
  readonly timers: Timers;
  readonly disk: DiskWatch;
  readonly urls: () => readonly string[];
  /** Of the listeners with TLS where members of the cluster come in. */
  readonly memberUrls: () => readonly string[];
  /** SHA-256 of the public keys of its certificates (SPKI, DER), base64url. */
  readonly tlsKeys: () => readonly string[];
  /** `JWT_SECRET`: signs people's sessions. */
  readonly jwtSecret: Secret;
  /** Whether a listener is reached from more than this machine. */
  readonly isReachable: () => boolean;
  readonly egress: Pick<EgressParts, "lookup" | "timeouts">;
  readonly environment: Environment;
  readonly workerProgram: WorkerProgram | undefined;
  /** The web application; undefined where it is not built. */
  readonly dashboard: DashboardFiles | undefined;
  /** What reads the configuration anew, and knows what of it is in force; there once the server listens. */
  readonly reloads: () => RunningConfig;
}

/** A server but for where it listens. */
export interface Assembled {
  readonly server: HttpServer;
  readonly workers: Workers;
  readonly audit: AuditRecorder;
  readonly people: People;
  readonly bus: EventBus;
  readonly declared: InForce;
  /** Throws DeclaredProviderProblems, with nothing changed. */
  readonly declareProviders: (list: readonly DeclaredProvider[]) => Promise<void>;
  /** To be called once it is known where the server listens. */
  readonly startCluster: () => Promise<void>;
  readonly endEvents: () => void;
  readonly stopWork: () => Promise<void>;
}

const HOUSEKEEPING_EVERY_MS = 10_000;
/** The running requests of a key or identity that expires end within a second of it. */
const EXPIRIES_EVERY_MS = 250;
const RESEAL_TOLD_EVERY_MS = 250;

/** Every feature, handed what it uses. Throws StartError. */
export async function assemble(parts: ServerParts): Promise<Assembled> {
  const { database, seal, audit, log, metrics, tools } = parts;
  const sets = new SetsInForce(parts.config.resources.permissionSets);
  const bus = await openEventBus({ database, clock: tools.clock, metrics });
  const settle = async () => {
    await Promise.all([workers.settle(), upstreams.gateway.flush()]);
  };
  const keys = await openIssuedKeys({
    database,
    ...tools,
    secret: () => parts.apiKeySecret.secret,
    audit,
    events: bus,
    beforeLimits: async (counted) => {
      await settle();
      await seedSlot({ database, clock: tools.clock }, limits, counted);
    },
  });
  const identityMemory = createIdentityMemory(keys.memory.capacity);
  const identities = await openDeclaredIdentities({ database, clock: tools.clock, memory: identityMemory });
  const here = attachIdentities(identityMemory, tools);
  here.declare(identities.declare(parts.config.resources.identities).records);
  const limitsMemory = createLimitsMemory({
    principals: keys.memory.capacity + identityMemory.capacity,
    threads: parts.config.settings.workers,
    random: tools.random,
  });
  const limits = attachLimits(limitsMemory, 0);
  await seedWindows({ database, clock: tools.clock, keys, identities }, limits);
  const [lock, watched, members] = [new SharedFlag(), new SharedFlag(), new MemberDigest()];
  // Open for all threads at once: what an unlock brings along must be in force before the first request passes.
  const isLocked = () => seal.isLocked() || lock.raised;
  const people = await openPeople({
    ...parts,
    ...tools,
    initialPassword: parts.config.secrets.get("INITIAL_PASSWORD"),
    authKey: () => loadAuthKey({ dataDir: parts.config.dataDir, random: tools.random }),
    behindTls: parts.config.settings.auth_cookie_secure,
    cost: parts.sealCost,
  });
  const gates = createGates({
    lock: { isLocked },
    room: roomGate(parts.disk),
    keys: keys.reader,
    identities: here,
    members,
    sets,
    limits,
    sessions: people.gate,
    nodes: {
      authenticate: (...presented) => own.nodes.authenticate(...presented),
      holds: (caller) => own.nodes.holds(caller),
    },
  });
  const auditSink: AuditSink = { refused: (event) => audit.refusal(event) };
  const listening = openListening({ bus, clock: tools.clock, metrics, gates, watched });
  const workers = openWorkers({
    ...parts,
    shared: {
      lock: lock.memory,
      watched: watched.memory,
      diskLow: parts.disk.low.memory,
      keys: keys.memory,
      identities: identityMemory,
      members: members.memory,
      limits: limitsMemory,
    },
    declared: () => ({ permissionSets: declared.permissionSets, identities: identities.records }),
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
  const endOf = (principal: string) => {
    upstreams.gateway.endOf(principal, new AppError("invalid_token", "The key is no longer in force."));
    workers.tell({ kind: "key-ended", keyId: principal });
    listening.streams.endOf(principal);
  };
  keys.onEnded(endOf);
  const declared = new InForce(parts.config.resources, {
    sets,
    identities,
    here,
    declareProviders: (list) => upstreams.declareProviders(list),
    workers,
    endOf,
  });
  await upstreams.declareProviders(parts.config.resources.providers);
  const travel = travelWithStore({ ...parts, dataDir: parts.config.dataDir, workers });
  if (!seal.isLocked()) await travel();
  seal.onUnlock(travel);
  const backups = new Backups({
    ...tools,
    dataDir: parts.config.dataDir,
    config: parts.config,
    apiKeySecret: () => parts.apiKeySecret.secret,
    cost: parts.sealCost,
    database,
    audit,
  });
  followSeal({ seal, lock, workers, gateway: upstreams.gateway, bus, streams: listening.streams });
  const { gateway } = upstreams;
  const own = await openOwnCluster({
    ...parts,
    addresses: limits.addresses,
    events: bus,
    facts: ownNode({ ...parts, gates, gateway }),
    presence: ownPresence({ ...parts, gateway }),
  });
  seal.onLock(own.greetSoon);
  seal.onUnlock(own.greetSoon);
  followMembers({ cluster: own.cluster, members, endOf });
  const server = await createHttpServer({
    gates,
    audit: auditSink,
    log,
    metrics: metrics.http,
    tools,
    proxies: new AddressRanges(parts.config.settings.trusted_proxies),
    gateway: upstreams.gateway.family,
    dashboard: createDashboard(parts.dashboard, tools.random),
    register: (api) => {
      infoRoutes(api, {
        version: VERSION,
        nodeId: parts.nodeId,
        sealStatus: () => seal.status(),
        listeners: parts.urls,
        startedAt: tools.clock.now(),
        disk: () => parts.disk.look(),
      });
      serverKeyRoutes(api, {
        ...{ seal, database, clock: tools.clock, log, addresses: limits.addresses },
        unlocksItself: parts.config.serverKey !== undefined,
      });
      metricsRoute(api, metrics);
      sseRoute(api, listening.streams);
      const identityOf = (text: string) => here.nameOf(text);
      keyRoutes(api, { keys, sets: sets.sets, gates, settle, identityOf });
      permissionSetRoute(api, { declared: () => declared.permissionSets, gates });
      identityRoutes(api, { identities, gates });
      peopleRoutes(api, { people, sets: sets.sets, addresses: limits.addresses });
      firstRunRoutes(api, { database, audit });
      configRoutes(api, parts.reloads);
      backupRoutes(api, backups);
      own.register(api);
      auditRoutes(api, {
        ...audit,
        flush: async () => {
          await workers.settle();
          await audit.flush();
        },
      });
      upstreams.register(api, () => identities.records);
      openapiRoute(api, { version: VERSION, routes: () => server.routes() });
    },
  });
  const notes = [() => seal.flush(), () => keys.flush(), () => identities.flush(), () => people.flush()];
  const tasks = [...notes, () => audit.flush()];
  const flushing = setInterval(() => void keepHouse(log, tasks), HOUSEKEEPING_EVERY_MS);
  const expiring = setInterval(() => {
    keys.endExpired();
    for (const id of identities.takeExpired()) endOf(id);
  }, EXPIRIES_EVERY_MS);
  parts.disk.start(tellsOfDisk(log, bus));
  const retention = new Retention({
    ...parts,
    settings: parts.config.settings,
    time: { clock: tools.clock, timers: parts.timers },
  });
  const telling = setInterval(tellsOfReseal({ seal, bus }), RESEAL_TOLD_EVERY_MS);
  const stopWork = async () => {
    clearInterval(flushing);
    clearInterval(expiring);
    clearInterval(telling);
    await retention[Symbol.asyncDispose]();
    await own.close();
    await server.close();
    await upstreams.close();
    await keepHouse(log, [...notes, () => audit.close()]);
    await seal.close();
  };
  return {
    server,
    workers,
    audit,
    people,
    bus,
    declared,
    declareProviders: (list) => upstreams.declareProviders(list),
    startCluster: own.start,
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
