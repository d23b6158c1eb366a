import type { AppError } from "../lib/error.ts";

/** Who makes a request: `local` opened the control socket and may do everything, `key` presented an API key. */
export type Caller =
  | { readonly kind: "local" }
  | { readonly kind: "key"; readonly id: string; readonly permissionSets: readonly string[] }
  | { readonly kind: "anonymous" };

/** What stands for a caller in logs, audit and usage. */
export function callerId(caller: Caller): string {
  return caller.kind === "key" ? caller.id : caller.kind;
}

export interface LockGate {
  isLocked(): boolean;
}

export type Verdict = { readonly caller: Caller } | { readonly refused: RefusalReason };
/** Why a credential was refused: for the access log only, the answer is the same for all. */
export type RefusalReason = "missing" | "malformed" | "unknown" | "revoked";

export interface Authenticator {
  /** Judges a presented API key; `undefined` costs the same work as a wrong one. */
  authenticate(presented: string | undefined): Verdict;
}

export interface Authorizer {
  allows(caller: Caller, action: string, target?: string): boolean;
}

/** Told of every refused request and every failed change. */
export interface AuditSink {
  refused(event: RefusalEvent): void;
}

export interface RefusalEvent {
  readonly actor: string;
  readonly action: string;
  readonly route: string;
  readonly outcome: "failure" | "denied";
  readonly address: string | null;
  readonly requestId: string;
  readonly error: AppError;
}

/** What a listener lets in. */
export interface ListenerPolicy {
  readonly name: string;
  /** The control socket's caller is `local`; Host, Origin and address rules do not apply to it. */
  readonly kind: "tcp" | "control";
  /** Whether a local caller without a credential may use the gateway. */
  readonly anonymous: boolean;
  readonly allowedHosts: ReadonlySet<string>;
  readonly allowedOrigins: ReadonlySet<string>;
}
