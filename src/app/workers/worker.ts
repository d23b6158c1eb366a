import type { MessagePort } from "node:worker_threads";
import { attachIdentities } from "#identity/declared/index.ts";
import { attachKeys } from "#identity/keys/index.ts";
import { createEgressClient, type EgressParts } from "#platform/egress/egress-client.ts";
import { listenAddressOf } from "#platform/egress/own-listeners.ts";
import { gatewayFront, gatewayOrElsewhere } from "#platform/http/front.ts";
import { type Listener, openListener } from "#platform/http/listener.ts";
import { createRelay } from "#platform/http/relay.ts";
import { AddressRanges } from "#platform/lib/address-ranges.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { newRequestId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "#platform/log/log.ts";
import { openThreadMetrics } from "#platform/log/metrics/metrics.ts";
import { attachRowWriter } from "#platform/storage/row-port.ts";
import { SharedFlag } from "#platform/threads/shared-flag.ts";
import { ThreadCalls } from "#platform/threads/thread-calls.ts";
import { MemberDigest } from "#services/cluster/index.ts";
import { openGateway } from "#services/gateway/index.ts";
import { CredentialPools } from "#vault/credentials/index.ts";
import { createGates } from "../gates.ts";
import { attachLimits } from "../limits.ts";
import { brokenTold } from "../listeners/broken.ts";
import { SetsInForce } from "../sets-in-force.ts";
import { deniedConnect } from "../upstreams.ts";
import { UsageSums } from "../usage-sums.ts";
import {
  type FromWorker,
  type FromWorkerReply,
  fromCredentialRecord,
  listenerKey,
  providersAfter,
  type ToWorker,
  type ToWorkerReply,
  type WorkerListener,
  type WorkerStart,
} from "./protocol.ts";
import { Reports } from "./reports.ts";

/** What a test may bring in place of the system's. */
export interface WorkerTools {
  readonly clock: Clock;
  readonly random: Random;
  readonly egress: Pick<EgressParts, "lookup" | "timeouts">;
}

type Calls = ThreadCalls<FromWorker, ToWorkerReply, ToWorker, FromWorkerReply>;

/**
 * The program of a worker thread: serves the gateway on ports that it shares with the other threads, and relays every
 * other request to the main thread. It holds no database and no keyring: what it needs of them it is told.
 */
export function runWorker(port: MessagePort, start: WorkerStart, tools: WorkerTools): void {
  const calls: Calls = new ThreadCalls(port, (message: ToWorker) => worker.work(message));
  const worker = new Worker(start, tools, calls);
  port.on("message", calls.receive);
  calls.tell({ kind: "ready" });
}

class Worker {
  readonly #tools: WorkerTools;
  readonly #reports: Reports;
  readonly #parts: ReturnType<typeof assemble>;
  readonly #listeners = new Map<string, Promise<Listener>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(start: WorkerStart, tools: WorkerTools, calls: Calls) {
    this.#tools = tools;
    const metrics = openThreadMetrics({ thread: start.thread, clock: tools.clock });
    const usage = new UsageSums(new SharedFlag(start.shared.watched));
    this.#reports = new Reports({
      clock: tools.clock,
      send: (report) => calls.tell(report),
      takeHealth: () => metrics.upstreams.takeHealth(),
      takeUsage: () => usage.take(),
    });
    this.#parts = assemble(start, tools, { calls, reports: this.#reports, metrics, usage });
  }

  async work(message: ToWorker): Promise<FromWorkerReply> {
    const { gateway, credentials, metrics, facts, identities, sets } = this.#parts;
    switch (message.kind) {
      case "listen":
        await this.#listen(message);
        break;
      case "listen-as":
        await this.#listenAs(message);
        break;
      case "unlisten":
        await this.#unlisten(message);
        break;
      case "declared":
        identities.declare(message.identities);
        sets.replace(message.permissionSets);
        break;
      case "urls":
        facts.urls = message.urls;
        break;
      case "providers":
        facts.providers = providersAfter(facts.providers, message);
        credentials.forget(message.changed);
        gateway.changed(message.changed);
        break;
      case "cool-down":
        credentials.coolUntil(message.credentialId, message.untilMs);
        break;
      case "key-ended":
        gateway.endOf(message.keyId, new AppError("invalid_token", "The key is no longer in force."));
        break;
      case "locked":
        credentials.forgetAll();
        gateway.endAll(new AppError("server_locked"));
        break;
      case "api-key-secret":
        facts.apiKeySecret = new Secret(message.secret);
        break;
      case "unlocked":
        gateway.unlocked();
        break;
      case "counts":
        // What is shown of the upstreams must be as new as what is counted.
        this.#reports.flush();
        return { kind: "counts", counts: await metrics.counts() };
      case "settle":
        await this.#settle();
        break;
      case "drain":
        await this.#drain(message.drainMs);
        break;
      default:
        message satisfies never;
    }
    return { kind: "done" };
  }

  async #listen({ target, policy, tls }: WorkerListener): Promise<void> {
    const { frontsFor, log, metrics } = this.#parts;
    const key = listenerKey(target);
    const opening = openListener({
      target,
      policy,
      tls,
      ...frontsFor(key),
      sharesPort: true,
      newRequestId: () => newRequestId(this.#tools.clock.now(), this.#tools.random),
      ...brokenTold({ log, metrics }),
    });
    this.#listeners.set(key, opening);
    opening.catch(() => this.#listeners.delete(key));
    await opening;
  }

  async #listenAs({ target, policy, tls }: WorkerListener): Promise<void> {
    const listener = await this.#listeners.get(listenerKey(target));
    if (listener === undefined) return;
    listener.policy = policy;
    if (tls !== undefined) listener.secure(tls);
  }

  async #unlisten({ target, drainMs }: Extract<ToWorker, { readonly kind: "unlisten" }>): Promise<void> {
    const key = listenerKey(target);
    const listener = await this.#listeners.get(key);
    this.#listeners.delete(key);
    if (listener === undefined) return;
    const closing = listener.close(drainMs).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async #settle(): Promise<void> {
    await this.#parts.gateway.flush();
    this.#reports.flush();
  }

  async #drain(drainMs: number): Promise<void> {
    const open = await Promise.all(this.#listeners.values());
    await Promise.all([...open.map((listener) => listener.close(drainMs)), ...this.#closing]);
    await this.#parts.close();
    this.#reports.close();
  }
}

/** Every feature of this thread, handed what it uses. */
function assemble(
  start: WorkerStart,
  tools: WorkerTools,
  thread: { calls: Calls; reports: Reports; metrics: ReturnType<typeof openThreadMetrics>; usage: UsageSums },
) {
  const { calls, reports, metrics } = thread;
  const { clock, random } = tools;
  const lock = new SharedFlag(start.shared.lock);
  const diskLow = new SharedFlag(start.shared.diskLow);
  const providers = providersAfter([], { providers: start.providers, changed: "" });
  const facts = { providers, urls: start.urls, apiKeySecret: new Secret(start.apiKeySecret) };
  const log = createLog({ level: start.settings.log_level, sink: reports });
  const identities = attachIdentities(start.shared.identities, tools);
  identities.declare(start.declared.identities);
  const sets = new SetsInForce(start.declared.permissionSets);
  const gates = createGates({
    lock: { isLocked: () => lock.raised },
    keys: attachKeys(start.shared.keys, () => facts.apiKeySecret, clock),
    identities,
    members: new MemberDigest(start.shared.members),
    sets,
    limits: attachLimits(start.shared.limits, start.thread),
  });
  const credentials = new CredentialPools({
    clock,
    open: async (providerId) => {
      const { pool } = await calls.ask({ kind: "credentials", providerId }, "credentials");
      return pool.map(fromCredentialRecord);
    },
    onCoolDown: (credentialId, untilMs) => calls.tell({ kind: "cool-down", credentialId, untilMs }),
  });
  const client = createEgressClient({
    ...tools.egress,
    ownListeners: () => facts.urls.map(listenAddressOf),
    onDenied: ({ origin }) => reports.refusal(deniedConnect(origin)),
  });
  const egress = metrics.upstreams.watch(client, () => facts.providers);
  const rows = attachRowWriter(start.rows);
  const gateway = openGateway({
    gates,
    sinks: {
      audit: { refused: (event) => reports.refusal(event) },
      log,
      rows: {
        database: rows,
        log: metrics.countingRows(log, "request"),
        isPaused: () => diskLow.raised,
        onLost: () => metrics.requestRowLost(),
        onRow: (row) => {
          metrics.gateway.finished(row);
          thread.usage.add(row);
        },
      },
    },
    upstream: { egress, credentials, clock },
    providers: {
      ordered: () => facts.providers,
      fetchModels: async ({ id }) => (await calls.ask({ kind: "models", providerId: id }, "models")).models,
    },
    settings: start.settings,
  });
  const relay = createRelay(start.relaySocket, () => newRequestId(clock.now(), random));
  const proxies = new AddressRanges(start.settings.trusted_proxies);
  const own = { gates, log, metrics: metrics.http, tools, proxies, gateway: gateway.family };
  const front = gatewayFront(own);
  const frontsFor = (listener: string) => ({
    front: gatewayOrElsewhere(front, relay.frontFor(listener)),
    gatewayFront: front,
  });
  const close = async () => {
    relay.close();
    await egress.close();
    await gateway.flush();
    rows.close();
  };
  return { gateway, credentials, metrics, facts, identities, sets, frontsFor, log, close };
}
