import { formatListen, isLoopback, type ListenAddress } from "#platform/config/listen.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import type { Entry, ListenerPolicy, Service } from "#platform/http/ports.ts";
import { StartError } from "#platform/lib/error.ts";
import type { TlsFiles } from "#platform/tls/material.ts";

/** An address, or the path of a Unix socket with its permission bits (0600 unless said). */
export type SpecTarget = ListenAddress | { readonly socketPath: string; readonly mode?: number };

/** `auto` is the server's own, self-signed certificate. Of several pairs a client's is chosen by the name it asks for. */
export type SpecTls =
  | { readonly kind: "off" }
  | { readonly kind: "auto" }
  | { readonly kind: "files"; readonly pairs: readonly [TlsFiles, ...TlsFiles[]] };

/** Who may come in by a listener; `open` turns authentication off. */
export type SpecEntry =
  | {
      readonly kind: "listed";
      /** Names of identities the configuration declares. */
      readonly identities: ReadonlySet<string>;
      readonly users: boolean;
      readonly keys: boolean;
      readonly cluster: boolean;
      /** Who comes without a credential may use the gateway, within this permission set. */
      readonly anonymous?: { readonly permissionSet: string; readonly from: "local" | "anywhere" };
    }
  | { readonly kind: "open"; readonly permissionSet: string };

/** Where a listener is declared: in the file, by `--listen`, or nowhere. */
export type SpecSource = "file" | "flag" | "default";

/** One listener as the configuration wants it. */
export interface ListenerSpec {
  /** Stands in logs and metrics; no other listener has it. */
  readonly name: string;
  readonly source: SpecSource;
  readonly targets: readonly SpecTarget[];
  readonly tls: SpecTls;
  readonly serves: ReadonlySet<Service>;
  readonly entry: SpecEntry;
  /** In lower case, beside the names that always count. */
  readonly allowedHosts: ReadonlySet<string>;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Permits plain HTTP beyond loopback. */
  readonly allowPlainHttp: boolean;
  /** Permits authentication that is off beyond loopback. */
  readonly allowUnauthenticatedRemote: boolean;
}

export const ALL_SERVICES: readonly Service[] = ["gateway", "api", "dashboard", "events"];

/** Throws StartError (78) for what must not be opened, whatever wrote it. */
export function checkSpecs(specs: readonly ListenerSpec[], requireApiKey: boolean): void {
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const spec of specs) {
    if (names.has(spec.name)) throw new StartError(`two listeners are called ${spec.name}`);
    names.add(spec.name);
    for (const target of spec.targets) {
      const key = textOf(target);
      const chosenBySystem = "port" in target && target.port === 0;
      if (addresses.has(key) && !chosenBySystem)
        throw new StartError(`two listeners are to listen on ${key}`);
      addresses.add(key);
      checkReach(spec, target);
    }
    if (spec.entry.kind === "open" && requireApiKey)
      throw new StartError(
        `the listener ${spec.name} turns authentication off, and REQUIRE_API_KEY demands a key everywhere; take one of them away`,
      );
  }
}

/** Whether more than this machine reaches it over TCP. */
export function reachesBeyond({ targets }: ListenerSpec): boolean {
  return targets.some((target) => !("socketPath" in target) && !isLoopback(target.host));
}

/**
 * Throws StartError (78) for an initial password that everybody tries, where more than this machine may try it. `isCommon`
 * judges it.
 */
export function refuseCommonPassword(
  { secrets }: Pick<LoadedConfig, "secrets">,
  specs: readonly ListenerSpec[],
  isCommon: (password: string) => boolean,
): void {
  const initial = secrets.get("INITIAL_PASSWORD");
  const reached = specs.find(reachesBeyond);
  if (initial === undefined || reached === undefined || !isCommon(initial.expose())) return;
  throw new StartError(
    `INITIAL_PASSWORD is one that everybody tries first, and the listener ${reached.name} is reached from other machines; ` +
      "set another, or leave it unset: then claviger setup-code shows what to sign in with",
  );
}

/** The address as one writes it. */
export function textOf(target: SpecTarget): string {
  return "socketPath" in target ? target.socketPath : formatListen(target);
}

/** What a listener's requests are judged by. `ownNames`, of its certificate and of the machine with its domain, are names it answers for, too. */
export function policyOf(
  spec: ListenerSpec,
  target: SpecTarget,
  facts: { readonly ownNames: readonly string[]; readonly requireApiKey: boolean },
): ListenerPolicy {
  return {
    name: spec.name,
    kind: "socketPath" in target ? "unix" : "tcp",
    secure: spec.tls.kind !== "off",
    serves: spec.serves,
    entry: entryOf(spec.entry, facts.requireApiKey),
    allowedHosts: new Set([...spec.allowedHosts, ...facts.ownNames]),
    allowedOrigins: spec.allowedOrigins,
  };
}

function checkReach(spec: ListenerSpec, target: SpecTarget): void {
  if ("socketPath" in target || isLoopback(target.host)) return;
  const where = `the listener ${spec.name} on ${textOf(target)}`;
  if (spec.tls.kind === "off" && !spec.allowPlainHttp)
    throw new StartError(
      `${where} would serve plain HTTP beyond this machine; give it a certificate (tls: auto), or write allow_plain_http: true`,
    );
  if (spec.entry.kind === "open" && !spec.allowUnauthenticatedRemote)
    throw new StartError(
      `${where} would let anyone in from beyond this machine; name who may enter, or write allow_unauthenticated_remote: true`,
    );
}

function entryOf(entry: SpecEntry, requireApiKey: boolean): Entry {
  const anonymousWith = (permissionSet: string, from: "local" | "anywhere") => ({
    caller: { kind: "anonymous", permissionSets: [permissionSet] } as const,
    from,
  });
  if (entry.kind === "open")
    return { kind: "open", anonymous: anonymousWith(entry.permissionSet, "anywhere") };
  const { anonymous, ...listed } = entry;
  const admitted = requireApiKey ? undefined : anonymous;
  return { ...listed, anonymous: admitted && anonymousWith(admitted.permissionSet, admitted.from) };
}
