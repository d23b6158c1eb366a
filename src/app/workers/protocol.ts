import type { MessagePort } from "node:worker_threads";
import type { Refusal } from "#gates/audit/index.ts";
import type { IdentityMemory, IdentityRecord } from "#identity/declared/index.ts";
import type { KeyMemory } from "#identity/keys/index.ts";
import type { Settings } from "#platform/config/settings.ts";
import type { ListenerPolicy } from "#platform/http/ports.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { ThreadCounts } from "#platform/log/metrics/metrics.ts";
import type { HealthNote } from "#platform/log/metrics/upstream.ts";
import type { TlsMaterial } from "#platform/tls/material.ts";
import type { Provider } from "#services/gateway/index.ts";
import type { OpenedCredential } from "#vault/credentials/index.ts";
import type { Declared } from "../declared/declared.ts";
import type { LimitsMemory } from "../limits.ts";
import type { UsageSum } from "../usage-sums.ts";

/** What a worker thread is started with. */
export interface WorkerStart {
  /** Its number, from 1; the main thread is 0. */
  readonly thread: number;
  readonly settings: Settings;
  readonly declared: DeclaredForWorkers;
  /** `API_KEY_SECRET`. */
  readonly apiKeySecret: string;
  /** What all threads see at once. */
  readonly shared: {
    readonly lock: SharedArrayBuffer;
    /** Of a flag: somebody listens to events. */
    readonly watched: SharedArrayBuffer;
    /** Of a flag: the disk has no room for rows of requests. */
    readonly diskLow: SharedArrayBuffer;
    readonly keys: KeyMemory;
    readonly identities: IdentityMemory;
    /** Of a MemberDigest. */
    readonly members: SharedArrayBuffer;
    readonly limits: LimitsMemory;
  };
  readonly providers: readonly ProviderRecord[];
  /** Where the server listens. */
  readonly urls: readonly string[];
  /** Where the main thread takes what it alone serves. */
  readonly relaySocket: string;
  /** Leads to the storage thread. */
  readonly rows: MessagePort;
}

/** What of the configuration file every thread judges by. */
export interface DeclaredForWorkers {
  readonly permissionSets: Declared["permissionSets"];
  readonly identities: readonly IdentityRecord[];
}

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** An address that every thread listens on, and how. */
export interface WorkerListener {
  readonly target: TcpTarget;
  readonly policy: ListenerPolicy;
  /** It speaks TLS with these certificates. */
  readonly tls: TlsMaterial | undefined;
}

/** What both ends of the relay call a listener. */
export function listenerKey({ host, port }: TcpTarget): string {
  return `${host}:${port}`;
}

/** What the main thread says to a worker. */
export type ToWorker =
  | ({ readonly kind: "listen" } & WorkerListener)
  /** One that is open already: its policy or its certificates are others from now on. */
  | ({ readonly kind: "listen-as" } & WorkerListener)
  /** Stop accepting there; what runs may end within the time. */
  | { readonly kind: "unlisten"; readonly target: TcpTarget; readonly drainMs: number }
  /** The configuration file was read anew. */
  | ({ readonly kind: "declared" } & DeclaredForWorkers)
  | { readonly kind: "urls"; readonly urls: readonly string[] }
  /** One provider was made, changed or removed; these are there now. */
  | { readonly kind: "providers"; readonly providers: readonly ProviderRecord[]; readonly changed: string }
  | { readonly kind: "cool-down"; readonly credentialId: string; readonly untilMs: number }
  /** Revoked or expired. */
  | { readonly kind: "key-ended"; readonly keyId: string }
  /** The lock flag was raised: what was opened is dropped, what runs is ended. */
  | { readonly kind: "locked" }
  /** Another `API_KEY_SECRET` is in force. */
  | { readonly kind: "api-key-secret"; readonly secret: string }
  /** The lock flag is about to be lowered: by the answer everything from before the lock is gone. */
  | { readonly kind: "unlocked" }
  | { readonly kind: "counts" }
  /** Write and report everything noted so far. */
  | { readonly kind: "settle" }
  /** Stop accepting, let what runs end within the time, then end. */
  | { readonly kind: "drain"; readonly drainMs: number };

export type FromWorkerReply =
  | { readonly kind: "done" }
  | { readonly kind: "counts"; readonly counts: ThreadCounts };

export interface TimedRefusal {
  readonly refusal: Refusal;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What a worker says to the main thread. */
export type FromWorker =
  | { readonly kind: "ready" }
  | {
      readonly kind: "report";
      /** Whole lines of the log; maybe none. */
      readonly log: string;
      readonly refusals: readonly TimedRefusal[];
      readonly health: readonly HealthNote[];
      readonly usage: readonly UsageSum[];
    }
  | { readonly kind: "cool-down"; readonly credentialId: string; readonly untilMs: number }
  | { readonly kind: "models"; readonly providerId: string }
  | { readonly kind: "credentials"; readonly providerId: string };

export type ToWorkerReply =
  | { readonly kind: "done" }
  | { readonly kind: "models"; readonly models: readonly string[] }
  | { readonly kind: "credentials"; readonly pool: readonly CredentialRecord[] };

/** A provider as plain data. */
export interface ProviderRecord extends Omit<Provider, "baseUrl"> {
  readonly baseUrl: string;
}

/** An opened credential as plain data: it crosses between threads of this process and is written nowhere. */
export interface CredentialRecord extends Omit<OpenedCredential, "secret"> {
  readonly value: string;
}

export function toProviderRecord(provider: Provider): ProviderRecord {
  return { ...provider, baseUrl: provider.baseUrl.href };
}

/**
 * The providers as they are now. What did not change stays the same object: what is under way for it, such as its model
 * list, goes on being its own.
 */
export function providersAfter(
  before: readonly Provider[],
  now: { readonly providers: readonly ProviderRecord[]; readonly changed: string },
): readonly Provider[] {
  return now.providers.map((record) => {
    const still = record.id === now.changed ? undefined : before.find(({ id }) => id === record.id);
    return still ?? { ...record, baseUrl: new URL(record.baseUrl) };
  });
}

export function toCredentialRecord({ id, origin, secret }: OpenedCredential): CredentialRecord {
  return { id, origin, value: secret.expose() };
}

export function fromCredentialRecord({ id, origin, value }: CredentialRecord): OpenedCredential {
  return { id, origin, secret: new Secret(value) };
}
