import { rmSync } from "node:fs";
import { isLoopback } from "#platform/config/listen.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { logBroken } from "#platform/http/access-log.ts";
import type { Front } from "#platform/http/front.ts";
import {
  HEADER_LIMIT_BYTES,
  type Listener,
  type ListenTarget,
  openListener,
} from "#platform/http/listener.ts";
import { claimPort } from "#platform/http/port-claim.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import { relayedFront } from "#platform/http/relay.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import { prepareControlSocket, relaySocketPath } from "#services/control/index.ts";
import { listenerKey, type TcpTarget } from "./workers/protocol.ts";
import type { Workers } from "./workers/workers.ts";

interface Parts {
  readonly front: Front;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly workers: Workers;
}

/** What a worker adds to the head of a request that it relays. */
const RELAY_HEADER_BYTES = 1024;

/**
 * Opens what the configuration names, in every thread, and the control socket, all or none: each is handed to `undo` as
 * it opens.
 */
export async function openListeners(
  config: LoadedConfig,
  parts: Parts,
  undo: AsyncDisposableStack,
): Promise<Listener[]> {
  const { settings, dataDir } = config;
  const tcp: Omit<ListenerPolicy, "anonymous"> = {
    name: "local",
    kind: "tcp",
    allowedHosts: new Set(settings.allowed_hosts),
    allowedOrigins: new Set(settings.allowed_origins),
  };
  const control = { ...tcp, name: "control", kind: "control" as const, anonymous: false };
  const socketPath = await prepareControlSocket(dataDir);
  if (parts.workers.count > 0)
    for (const target of config.listen) if (target.port !== 0) undo.use(await claimPort(target));
  const policies = new Map<string, ListenerPolicy>();
  if (parts.workers.count > 0) {
    await openRelay(relaySocketPath(dataDir), { ...parts, policies, policy: control }, undo);
    await parts.workers.start();
  }
  const listeners: Listener[] = [];
  for (const target of config.listen) {
    const policy = { ...tcp, anonymous: !settings.require_api_key && isLoopback(target.host) };
    const listener = await openTcp(target, policy, { ...parts, policies }, undo);
    parts.metrics.listening(policy);
    listeners.push(listener);
  }
  const own = await open({ socketPath }, control, parts);
  undo.defer(() => own.close(0));
  return [...listeners, own];
}

type PartsAndPolicies = Parts & { readonly policies: Map<string, ListenerPolicy> };

/** On a claimed port that threads share it is up when every one of them has it; the main thread resolves a port of 0. */
async function openTcp(
  target: TcpTarget,
  policy: ListenerPolicy,
  parts: PartsAndPolicies,
  undo: AsyncDisposableStack,
): Promise<Listener> {
  const { workers, policies } = parts;
  if (workers.count === 0) {
    const listener = await open(target, policy, parts);
    undo.defer(() => listener.close(0));
    return listener;
  }
  const listener = await open(target, policy, parts, { sharesPort: true });
  undo.defer(() => listener.close(0));
  if ("socketPath" in listener.target) throw new Error("a TCP listener is bound to a socket");
  policies.set(listenerKey(listener.target), policy);
  await workers.listen(listener.target, policy);
  return listener;
}

async function openRelay(
  socketPath: string,
  parts: PartsAndPolicies & { readonly policy: ListenerPolicy },
  undo: AsyncDisposableStack,
): Promise<void> {
  // Whoever holds the data directory may: what is there was left by a server that was killed.
  rmSync(socketPath, { force: true });
  const front = relayedFront(parts.front, (listener) => parts.policies.get(listener));
  const headerLimitBytes = HEADER_LIMIT_BYTES + RELAY_HEADER_BYTES;
  const listener = await open({ socketPath }, parts.policy, { ...parts, front }, { headerLimitBytes });
  undo.defer(() => listener.close(0));
}

function open(
  target: ListenTarget,
  policy: ListenerPolicy,
  { front, random, log, metrics }: Pick<Parts, "front" | "random" | "log" | "metrics">,
  options: { readonly sharesPort?: boolean; readonly headerLimitBytes?: number } = {},
): Promise<Listener> {
  return openListener({
    target,
    policy,
    front,
    ...options,
    newRequestId: () => newId("req", random),
    onBroken: (broken) => {
      logBroken(log, policy, broken);
      metrics.http.broken(broken.code);
    },
  });
}
