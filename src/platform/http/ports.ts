import type { AppError } from "../lib/error.ts";

/** What stands for every member of the cluster in logs, audit and usage: nobody else is called so. */
export const MEMBER_ID = "member";

/**
 * Who makes a request: `local` opened the control socket and may do everything, `key` presented an API key issued at run
 * time, `identity` the key of one that the configuration declares, `member` the token that the members of the cluster
 * share, `node` what another node of the cluster proves itself with, `user` the cookie of somebody who signed in.
 */
export type Caller =
  | { readonly kind: "local" }
  | {
      readonly kind: "member";
      readonly id: typeof MEMBER_ID;
      readonly permissionSets: readonly string[];
      /** Which of the tokens that were in force since the start it is. */
      readonly term: number;
    }
  | {
      readonly kind: "node";
      readonly id: string;
      /** Whether it proved this server's PIN too; another may have been set on one of the two. */
      readonly hasPin: boolean;
    }
  | {
      readonly kind: "identity";
      readonly id: string;
      /** Its name in the file. */
      readonly resource: string;
      readonly permissionSets: readonly string[];
      readonly slot: number;
    }
  | {
      readonly kind: "key";
      readonly id: string;
      readonly permissionSets: readonly string[];
      /** Where memory that threads share has its place: no other caller of this process has the same. */
      readonly slot: number;
      /** Patterns of the models and APIs it is for; undefined for all. */
      readonly models?: readonly string[] | undefined;
    }
  | {
      readonly kind: "user";
      readonly id: string;
      readonly permissionSets: readonly string[];
      /** Which of his sessions it is. */
      readonly session: string;
      /** Then he may do nothing else. */
      readonly mustChangePassword: boolean;
      /** When the session was given the password last; milliseconds since the Unix epoch. */
      readonly passwordAtMs: number;
    }
  /** Without sets of its own it holds the set `gateway`. */
  | { readonly kind: "anonymous"; readonly permissionSets?: readonly string[] };

/** What stands for a caller in logs, audit and usage. */
export function callerId(caller: Caller): string {
  return "id" in caller ? caller.id : caller.kind;
}

export interface LockGate {
  isLocked(): boolean;
}

/** Whether the disk has room for what a change writes. */
export interface RoomGate {
  /** Looked at anew each time. Gives what is answered to a change that has to wait. */
  refusal(): AppError | undefined;
}

export type Verdict = { readonly caller: Caller } | { readonly refused: RefusalReason };
/**
 * Why a credential was refused: for the access log only, the answer is the same for all. `not_here`: right on another
 * listener.
 */
export type RefusalReason =
  | "missing"
  | "malformed"
  | "unknown"
  | "revoked"
  | "expired"
  | "wrong_address"
  | "not_here";

/** Where and when a credential was presented. */
export interface Arrival {
  /** The socket's peer; null where it has no address. */
  readonly address: string | null;
  readonly listener: ListenerPolicy;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** Of the header it came in; undefined where none is known. */
  readonly head: { readonly isBearer: boolean } | undefined;
}

export interface Authenticator {
  /**
   * Judges what was presented; `undefined` costs the same work as a wrong key. Later where that takes long: the promise
   * may reject with an AppError, which is then the answer.
   */
  authenticate(presented: string | undefined, arrival: Arrival): Verdict | Promise<Verdict>;
  /** Whether a caller let in before may still act: his key can be revoked, or end, while his request arrives. */
  holds(caller: Caller): boolean;
  /** Of a caller who may not act any more: whether his time is over. For the log alone; without it nobody's ever is. */
  hasExpired?(caller: Caller): boolean;
}

export interface Authorizer {
  allows(caller: Caller, action: string, target?: string): boolean;
}

type NodeCaller = Extract<Caller, { readonly kind: "node" }>;

/** Who knows the other nodes of the cluster: it alone judges who asks for a node's route. */
export interface NodeGate {
  /**
   * Judges the whole `Authorization` header of a request on a connection of this channel binding, undefined where there
   * is none. `answer` proves to the node that asked who answers. Throws AppError `cluster_closed`.
   */
  authenticate(
    presented: string | undefined,
    binding: string | undefined,
  ): { readonly caller: NodeCaller; readonly answer: string } | { readonly refused: RefusalReason };
  /** Whether a node let in before may still act: it may leave, or a PIN be set, while its request arrives. */
  holds(caller: NodeCaller): boolean;
}

type UserCaller = Extract<Caller, { readonly kind: "user" }>;

/** `renewed`: the `Set-Cookie` that prolongs the session, where it is time for that. */
export type SessionVerdict =
  | { readonly caller: UserCaller; readonly renewed: string | undefined }
  | { readonly refused: RefusalReason };

/** Who knows the sessions of people: it alone judges cookies. */
export interface SessionGate {
  /** Whether a proxy ends TLS in front: the pages of this server are https ones then. */
  readonly behindTls: boolean;
  /** Judges the value of the session cookie. */
  authenticate(presented: string, arrival: Arrival): Promise<SessionVerdict>;
  /** Whether a session let in before may still act: it may be ended while its request arrives. */
  holds(caller: UserCaller): boolean;
}

/** What a caller has left of a limit a minute. */
export interface AmountLeft {
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until all of it is there again. */
  readonly fullInMs: number;
}

/** What the answers to a limited caller tell; undefined where there is no limit. */
export interface LimitsLeft {
  readonly requests: AmountLeft | undefined;
  readonly tokens: AmountLeft | undefined;
}

/** What a request used, or may use at most. */
export interface UsedAmount {
  readonly tokens: number;
  /** Whole billionths of a US dollar. */
  readonly nanoUsd: number;
}

/** Whether a limited caller's request may begin, and what its answer tells of the limits. */
export interface Admission {
  /** Undefined when it may. */
  readonly refusal: AppError | undefined;
  /** As of the last step below. */
  readonly left: LimitsLeft;
  /** Whether its tokens or what they cost are limited: then they are to be reserved before the upstream is asked. */
  readonly reserves: boolean;
  /** Sets aside what the request may use at most, once; gives the refusal where it may not go on. */
  reserve(most: UsedAmount, nowMs: number): AppError | undefined;
  /** Puts what it used in the place of what was set aside. Counts once, and also after `release`. */
  settle(used: UsedAmount): void;
  /** The request is over; more than once does no harm. What was not settled by then counts as used whole. */
  release(): void;
}

export interface AddressLimit {
  /**
   * A credential from this address was wrong, at `nowMs`. Gives undefined while that is answered as such, else the
   * whole seconds for which wrong ones are answered `rate_limited`.
   */
  failed(address: string, nowMs: number): number | undefined;
  /** What `failed` would give, at the same cost, with nothing counted. */
  waitS(address: string, nowMs: number): number | undefined;
}

export interface CallerLimits {
  /** Counts a request of this caller that begins at `nowMs`; undefined for a caller without limits. */
  begin(caller: Caller, nowMs: number): Admission | undefined;
}

/** Told of every refused request and every failed change. Must neither wait nor throw. */
export interface AuditSink {
  refused(event: RefusalEvent): void;
}

export interface RefusalEvent {
  /** Null for someone nobody knows, and for the anonymous: of them there may be any number. */
  readonly actor: string | null;
  readonly action: string;
  /** The route's template. */
  readonly route: string;
  /** The name of what it was about, where it was known. */
  readonly target: string | undefined;
  readonly outcome: "failure" | "denied";
  readonly address: string | null;
  readonly requestId: string;
}

/** The parts of this server: /v1, /v1beta and /x; /api with /metrics; the web pages; /sse. */
export type Service = "gateway" | "api" | "dashboard" | "events";

/** A caller without a credential, made once for all of them. */
export interface AnonymousEntry {
  readonly caller: Caller;
  /** `local`: only programs of this machine, and not through a proxy. */
  readonly from: "local" | "anywhere";
}

/** Who may come in by a listener; `open`: its configuration turns authentication off. */
export type Entry =
  | {
      readonly kind: "listed";
      /** Names of identities the configuration declares. */
      readonly identities: ReadonlySet<string>;
      readonly users: boolean;
      readonly keys: boolean;
      /** Members of the cluster, by the token that they share. */
      readonly cluster: boolean;
      /** May use the gateway alone. */
      readonly anonymous: AnonymousEntry | undefined;
    }
  | { readonly kind: "open"; readonly anonymous: AnonymousEntry };

/** What a listener serves, and whom it lets in: plain data, so that other threads have the same. */
export interface ListenerPolicy {
  readonly name: string;
  /** The control socket's caller is `local`; Host, Origin and address rules do not apply to it. */
  readonly kind: "tcp" | "unix" | "control";
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  /** Everything else is as if it did not exist. */
  readonly serves: ReadonlySet<Service>;
  readonly entry: Entry;
  readonly allowedHosts: ReadonlySet<string>;
  readonly allowedOrigins: ReadonlySet<string>;
}
