import { type Dispatcher, Pool } from "undici";
import { AppError } from "#platform/lib/error.ts";
import { createConnector } from "./connector.ts";
import type { Guard } from "./guard.ts";
import { TrustedCa } from "./trusted-ca.ts";

/** What sets one upstream's connections apart from another's at the same origin. */
export interface ConnectionKind {
  readonly origin: string;
  readonly caFile: string | undefined;
  readonly connectTimeoutMs: number;
  readonly proxy: URL | undefined;
}

const KEEP_ALIVE_MS = 4_000;
const MAX_CONNECTIONS_PER_POOL = 256;
const MAX_WAITING_PER_POOL = 1024;
const MAX_POOLS = 64;
const MAX_HEADER_BYTES = 32 * 1024;

/** Knows whether requests may wait, without undici's statistics, which are summed over all connections each time. */
class CrowdPool extends Pool {
  /** False only while none waits: the last dispatch left a connection free, or room for one. */
  crowded = false;

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const hasRoom = super.dispatch(options, handler);
    this.crowded = !hasRoom;
    return hasRoom;
  }
}

/** Pools of connections, each for one origin as one upstream reaches it. */
export class Pools {
  /** By kind, the longest unused first. */
  readonly #pools = new Map<string, CrowdPool>();
  /** Pools that were displaced and still finish their requests. */
  readonly #leaving = new Set<Pool>();
  readonly #guard: Guard;
  readonly #closing: AbortSignal;

  /** `closing` is aborted before `close` is called. */
  constructor(guard: Guard, closing: AbortSignal) {
    this.#guard = guard;
    this.#closing = closing;
  }

  poolFor(kind: ConnectionKind): Pool | AppError {
    if (this.#closing.aborted) return new AppError("shutting_down");
    const key = JSON.stringify([kind.origin, kind.caFile, kind.connectTimeoutMs, kind.proxy]);
    const pool = this.#pools.get(key) ?? this.#open(kind);
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    this.#displaceOldest();
    if (!pool.crowded || pool.stats.queued < MAX_WAITING_PER_POOL) return pool;
    return new AppError("upstream_unreachable", "Too many requests are waiting for this upstream.");
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#leaving];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(kind: ConnectionKind): CrowdPool {
    return new CrowdPool(kind.origin, {
      connect: createConnector({
        guard: this.#guard,
        connectTimeoutMs: kind.connectTimeoutMs,
        ca: kind.caFile === undefined ? undefined : new TrustedCa(kind.caFile),
        proxy: kind.proxy,
        closing: this.#closing,
      }),
      connections: MAX_CONNECTIONS_PER_POOL,
      pipelining: 1,
      // One connection serves one request, so that pausing one stream stops no other.
      allowH2: false,
      useMilo: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  }

  #displaceOldest(): void {
    const oldest = this.#pools.entries().next().value;
    if (this.#pools.size <= MAX_POOLS || oldest === undefined) return;
    const [key, pool] = oldest;
    this.#pools.delete(key);
    this.#leaving.add(pool);
    const left = () => this.#leaving.delete(pool);
    pool.close().then(left, left);
  }
}
