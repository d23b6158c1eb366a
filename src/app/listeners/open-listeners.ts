import { rmSync } from "node:fs";
import { join } from "node:path";
import { isCommonInitialPassword } from "#identity/users/index.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { prepareControlSocket, relaySocketPath } from "#platform/config/socket-path.ts";
import type { Front } from "#platform/http/front.ts";
import { HEADER_LIMIT_BYTES, type Listener, openListener } from "#platform/http/listener.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import { relayedFront } from "#platform/http/relay.ts";
import { newRequestId } from "#platform/lib/id.ts";
import type { Declared } from "../declared/declared.ts";
import type { AddressParts } from "./addresses.ts";
import { brokenTold } from "./broken.ts";
import { listenerSpecs } from "./declared-specs.ts";
import { Listeners } from "./listeners.ts";
import { ALL_SERVICES, refuseCommonPassword } from "./spec.ts";

/** What a worker adds to the head of a request that it relays. */
const RELAY_HEADER_BYTES = 1024;

/** Its caller may do everything; rules of hosts, origins and credentials do not apply. */
const CONTROL: ListenerPolicy = {
  name: "control",
  kind: "control",
  secure: false,
  serves: new Set(ALL_SERVICES),
  entry: {
    kind: "listed",
    identities: new Set(),
    users: false,
    keys: false,
    cluster: false,
    anonymous: undefined,
  },
  allowedHosts: new Set(),
  allowedOrigins: new Set(),
};

/**
 * Opens what the configuration names, in every thread, and the control socket, all or none: each is handed to `undo` as
 * it opens.
 */
export async function openListeners(
  config: LoadedConfig<Declared>,
  parts: AddressParts,
  undo: AsyncDisposableStack,
): Promise<{ listeners: Listeners; control: Listener }> {
  const { settings, dataDir, configDir } = config;
  const specs = listenerSpecs(config);
  refuseCommonPassword(config, specs, isCommonInitialPassword);
  const socketPath = await prepareControlSocket(dataDir);
  const listeners = new Listeners({
    ...parts,
    certificateDirectory: join(configDir, "certs"),
    requireApiKey: settings.require_api_key,
    drainMs: settings.drain_timeout_ms,
  });
  if (parts.workers.count > 0) {
    const path = relaySocketPath(dataDir);
    // Whoever holds the data directory may: what is there was left by a server that was killed.
    rmSync(path, { force: true });
    const front = relayedFront(parts.front, (listener) => listeners.policyOf(listener));
    const relay = await openOwn(path, { ...parts, front }, HEADER_LIMIT_BYTES + RELAY_HEADER_BYTES);
    undo.defer(() => relay.close(0));
  }
  undo.defer(() => listeners.close(0));
  await listeners.apply(specs);
  const control = await openOwn(socketPath, parts, HEADER_LIMIT_BYTES);
  undo.defer(() => control.close(0));
  return { listeners, control };
}

function openOwn(
  socketPath: string,
  {
    front,
    clock,
    random,
    log,
    metrics,
  }: Pick<AddressParts, "clock" | "random" | "log" | "metrics"> & { readonly front: Front },
  headerLimitBytes: number,
): Promise<Listener> {
  return openListener({
    target: { socketPath },
    policy: CONTROL,
    front,
    headerLimitBytes,
    newRequestId: () => newRequestId(clock.now(), random),
    ...brokenTold({ log, metrics }),
  });
}
