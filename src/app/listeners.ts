import { isLoopback } from "#platform/config/listen.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { logBroken } from "#platform/http/access-log.ts";
import { type Listener, openListener } from "#platform/http/listener.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import type { HttpServer } from "#platform/http/server.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import { prepareControlSocket } from "#services/control/index.ts";

/** Opens what the configuration names and the control socket, all or none: each is handed to `undo` as it opens. */
export async function openListeners(
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
