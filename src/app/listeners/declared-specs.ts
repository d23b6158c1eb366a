import { isLoopback } from "#platform/config/listen.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import type { Declared } from "../declared/declared.ts";
import {
  DEFAULT_HTTP_SERVER,
  type DeclaredHttpServer,
  type DeclaredTls,
  toHttpServer,
} from "../declared/http-server.ts";
import { isLocalPlace } from "../declared/listen-addr.ts";
import type { ListenerSpec, SpecEntry, SpecSource, SpecTls } from "./spec.ts";

/** Where a configuration listens: as the command line says, else as the file declares, else on loopback. */
export function listenerSpecs(config: LoadedConfig<Declared>): ListenerSpec[] {
  const { httpServers } = config.resources;
  return config.listenGiven || httpServers.length === 0
    ? defaultSpecs(config)
    : httpServers.map((server) => toSpec(server, "file"));
}

/**
 * The listeners of a configuration that declares none: `local` on the loopback addresses, where local programs may use
 * the gateway without a key; and `network` on others that `--listen` names, where nobody may.
 */
function defaultSpecs({
  settings,
  listen,
  listenGiven,
}: Pick<LoadedConfig, "settings" | "listen" | "listenGiven">): ListenerSpec[] {
  const credentialsOnly = DEFAULT_HTTP_SERVER.auth.filter((word) => word !== "anonymous");
  const allowed = {
    allowedHosts: new Set(settings.allowed_hosts),
    allowedOrigins: new Set(settings.allowed_origins),
  };
  const source = listenGiven ? "flag" : "default";
  const local = toSpec(toHttpServer("local", DEFAULT_HTTP_SERVER), source);
  const network = toSpec(toHttpServer("network", { ...DEFAULT_HTTP_SERVER, auth: credentialsOnly }), source);
  return [
    { ...local, ...allowed, targets: listen.filter(({ host }) => isLoopback(host)) },
    { ...network, ...allowed, targets: listen.filter(({ host }) => !isLoopback(host)) },
  ].filter(({ targets }) => targets.length > 0);
}

function toSpec(server: DeclaredHttpServer, source: SpecSource): ListenerSpec {
  return {
    name: server.name,
    source,
    targets: server.places,
    tls: toTls(server.tls),
    serves: server.serves,
    entry: toEntry(server),
    allowedHosts: server.allowedHosts,
    allowedOrigins: server.allowedOrigins,
    // Read and refused where it was written.
    allowPlainHttp: true,
    allowUnauthenticatedRemote: true,
  };
}

function toTls(tls: DeclaredTls): SpecTls {
  switch (tls.kind) {
    case "off":
    case "auto":
      return tls;
    case "pfx":
      return { kind: "files", pairs: [{ pfx: tls.pfx, passwordFile: tls.passwordFile }] };
    case "pairs": {
      const [first, ...rest] = tls.pairs;
      return first === undefined ? { kind: "off" } : { kind: "files", pairs: [first, ...rest] };
    }
    default:
      return tls satisfies never;
  }
}

/** A listener that only this machine reaches lets nobody in for whom a proxy speaks; beyond it, that was written. */
function toEntry({ entry, places }: DeclaredHttpServer): SpecEntry {
  if (entry.kind === "open") return entry;
  const { anonymous: permissionSet, ...listed } = entry;
  if (permissionSet === undefined) return listed;
  const from = places.every(isLocalPlace) ? "local" : "anywhere";
  return { ...listed, anonymous: { permissionSet, from } };
}
