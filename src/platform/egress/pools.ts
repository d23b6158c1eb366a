import { AppError } from "#platform/lib/error.ts";
import { LoopTurns } from "#platform/lib/loop-turns.ts";
import { createConnector } from "./connector.ts";
import type { Guard } from "./guard.ts";
import { Pool } from "./pool.ts";
import { TrustedCa } from "./trusted-ca.ts";

/** What sets one upstream's connections apart from another's at the same origin. */
export interface ConnectionKind {
  readonly origin: string;
  readonly caFile: string | undefined;
  readonly connectTimeoutMs: number;
  readonly proxy: URL | undefined;
}

const MAX_POOLS = 64;

/** Pools of connections, each for one origin as one upstream reaches it. */
export class Pools {
  /** By kind, the longest unused first. */
  readonly #pools = new Map<string, Pool>();
  /** Pools that were displaced and still finish their requests. */
  readonly #leaving = new Set<Pool>();
  readonly #guard: Guard;
  readonly #closing: AbortSignal;
  readonly #mostConnections: number;
  readonly #turns = new LoopTurns();
  #newest: { readonly kind: ConnectionKind; readonly pool: Pool } | undefined;

  /** `closing` is aborted before `close` is called; each pool has at most `mostConnections`. */
  constructor(guard: Guard, closing: AbortSignal, mostConnections: number) {
    this.#mostConnections = mostConnections;
    this.#guard = guard;
    this.#closing = closing;
  }

  poolFor(kind: ConnectionKind): Pool | AppError {
    if (this.#closing.aborted) return new AppError("shutting_down");
    const pool = this.#poolOf(kind);
    if (!pool.full) return pool;
    return new AppError("upstream_unreachable", "Too many requests are waiting for this upstream.");
  }

  #poolOf(kind: ConnectionKind): Pool {
    // Most requests go where the last one went.
    if (this.#newest !== undefined && isSame(kind, this.#newest.kind)) return this.#newest.pool;
    const key = keyOf(kind);
    const pool = this.#pools.get(key) ?? this.#open(kind);
    this.#moveToEnd(key, pool);
    this.#newest = { kind, pool };
    return pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#leaving];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(kind: ConnectionKind): Pool {
    const connect = createConnector({
      guard: this.#guard,
      connectTimeoutMs: kind.connectTimeoutMs,
      ca: kind.caFile === undefined ? undefined : new TrustedCa(kind.caFile),
      proxy: kind.proxy,
      closing: this.#closing,
    });
    const target = new URL(kind.origin);
    return new Pool(() => connect(target), this.#turns, this.#mostConnections);
  }

  #moveToEnd(key: string, pool: Pool): void {
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    const oldest = this.#pools.entries().next().value;
    if (this.#pools.size <= MAX_POOLS || oldest === undefined) return;
    const [oldestKey, leaving] = oldest;
    this.#pools.delete(oldestKey);
    this.#leaving.add(leaving);
    leaving.retire(() => this.#leaving.delete(leaving));
  }
}

function isSame(one: ConnectionKind, other: ConnectionKind): boolean {
  return (
    one.origin === other.origin &&
    one.caFile === other.caFile &&
    one.connectTimeoutMs === other.connectTimeoutMs &&
    one.proxy === other.proxy
  );
}

function keyOf({ origin, caFile, connectTimeoutMs, proxy }: ConnectionKind): string {
  if (caFile === undefined && proxy === undefined) return `${origin} ${connectTimeoutMs}`;
  return JSON.stringify([origin, caFile, connectTimeoutMs, proxy]);
}
