import { existsSync } from "node:fs";
import type { Listener, ListenTarget } from "#platform/http/listener.ts";
import type { Entry, ListenerPolicy } from "#platform/http/ports.ts";
import type { LoadedPair } from "#platform/tls/material.ts";
import type { RunningConfig } from "#services/control/index.ts";
import { reachableUrls } from "../own-urls.ts";
import type { WantedAddress } from "./addresses.ts";
import {
  ALL_SERVICES,
  type ListenerSpec,
  policyOf,
  reachesBeyond,
  type SpecEntry,
  type SpecTarget,
  textOf,
} from "./spec.ts";

/** A listener, what is open of it, and the certificates it shows. */
export interface ListenerInForce {
  readonly spec: ListenerSpec;
  readonly open: readonly {
    readonly wanted: Pick<WantedAddress, "target" | "policy">;
    readonly listener: Pick<Listener, "target" | "url">;
  }[];
  readonly pairs: readonly LoadedPair[];
}

/** A configuration that is not in force: why, and what it would listen on where that is known. */
export interface RefusedConfig {
  readonly reason: string;
  readonly specs: readonly ListenerSpec[];
  readonly requireApiKey: boolean;
}

type Shown = ReturnType<RunningConfig["listeners"]>;
type ShownListener = Shown["data"][number];

const DAY_MS = 86_400_000;

/** The listeners as people are shown them; those that a refused configuration would add are among them, not listening. */
export function shownListeners(
  inForce: readonly ListenerInForce[],
  refused: RefusedConfig | undefined,
  nowMs: number,
): Shown {
  const open = inForce.map((each) => openListener(each, nowMs));
  const names = new Set(open.map(({ name }) => name));
  const missing = refused?.specs.filter(({ name }) => !names.has(name)) ?? [];
  return {
    data: [...open, ...missing.map((spec) => missingListener(spec, refused))],
    refused: refused?.reason ?? null,
  };
}

function openListener({ spec, open, pairs }: ListenerInForce, nowMs: number): ShownListener {
  const targets = open.map(({ listener }) => listener.target);
  const gone = targets.find((target) => "socketPath" in target && !existsSync(target.socketPath));
  const urls = open.filter(({ listener }) => "port" in listener.target).map(({ listener }) => listener.url);
  return {
    ...commonOf(spec, open[0]?.wanted.policy),
    state: gone === undefined ? "listening" : "not_listening",
    reason:
      gone === undefined
        ? null
        : `the socket ${textOf(gone)} was removed, and nobody reaches the server there; restart it`,
    addresses: open.map(({ wanted, listener }) => ({
      configured: written(wanted.target),
      bound: listener.target === gone ? null : written(listener.target),
    })),
    urls: [...new Set(urls.flatMap((url) => reachableUrls([url])))],
    certificates: pairs.map((pair) => certificateOf(pair, nowMs)),
  };
}

function missingListener(spec: ListenerSpec, refused: RefusedConfig | undefined): ShownListener {
  const [first] = spec.targets;
  const facts = { ownNames: [], requireApiKey: refused?.requireApiKey ?? false };
  return {
    ...commonOf(spec, first && policyOf(spec, first, facts)),
    state: "not_listening",
    reason: refused?.reason ?? null,
    addresses: spec.targets.map((target) => ({ configured: written(target), bound: null })),
    urls: [],
    certificates: [],
  };
}

function commonOf(spec: ListenerSpec, policy: ListenerPolicy | undefined) {
  const { name, source, serves, allowedOrigins, tls } = spec;
  return {
    name,
    source,
    loopback_only: !reachesBeyond(spec),
    auth: policy === undefined ? [] : authOf(policy.entry),
    // REQUIRE_API_KEY keeps them out, whatever is written.
    anonymous_permissions: policy?.entry.anonymous === undefined ? null : anonymousSetOf(spec.entry),
    serve: ALL_SERVICES.filter((service) => serves.has(service)),
    allowed_hosts: [...new Set(policy?.allowedHosts)].toSorted(),
    allowed_origins: [...allowedOrigins],
    tls: tls.kind,
  };
}

function authOf(entry: Entry): string[] | null {
  if (entry.kind === "open") return null;
  const words = (["users", "keys", "cluster", "anonymous"] as const).filter((word) => entry[word]);
  return [...entry.identities, ...words];
}

function anonymousSetOf(entry: SpecEntry): string | null {
  return (entry.kind === "open" ? entry.permissionSet : entry.anonymous?.permissionSet) ?? null;
}

function certificateOf(pair: LoadedPair, nowMs: number): ShownListener["certificates"][number] {
  const { subject, names, addresses, fingerprint, beginsMs, expiresMs, isSelfSigned } = pair;
  return {
    subject,
    names: [...names],
    addresses: [...addresses],
    fingerprint,
    not_before: new Date(beginsMs).toISOString(),
    not_after: new Date(expiresMs).toISOString(),
    days_left: Math.floor((expiresMs - nowMs) / DAY_MS),
    self_signed: isSelfSigned,
  };
}

/** As `listen_addr` has it. */
function written(target: SpecTarget | ListenTarget): string {
  return "socketPath" in target ? `unix:${textOf(target)}` : textOf(target);
}
