import type { LoadedConfig } from "#platform/config/load.ts";
import type { Declared } from "../declared/declared.ts";
import type { DeclaredEntry, DeclaredHttpServer, DeclaredTls } from "../declared/http-server.ts";
import { defaultSpecs, type ListenerSpec, type SpecEntry, type SpecTls } from "./spec.ts";

/** Where a configuration listens: as the command line says, else as the file declares, else on loopback. */
export function listenerSpecs(config: LoadedConfig<Declared>): ListenerSpec[] {
  const { httpServers } = config.resources;
  return config.listenGiven || httpServers.length === 0 ? defaultSpecs(config) : httpServers.map(toSpec);
}

function toSpec(server: DeclaredHttpServer): ListenerSpec {
  return {
    name: server.name,
    targets: server.places,
    tls: toTls(server.tls),
    serves: server.serves,
    entry: toEntry(server.entry),
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

/** Who is let in by name without a credential may come from where the listener is reached: it was written. */
function toEntry(entry: DeclaredEntry): SpecEntry {
  if (entry.kind === "open") return entry;
  const { anonymous, ...listed } = entry;
  return anonymous === undefined
    ? listed
    : { ...listed, anonymous: { permissionSet: anonymous, from: "anywhere" } };
}
