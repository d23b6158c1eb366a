import { Pool } from "undici";
import { AppError } from "#platform/lib/error.ts";
import { type Exchange, exchange, type UpstreamHandler } from "./exchange.ts";

/** One request to an upstream. */
export interface EgressRequest {
  readonly url: URL;
  readonly method: string;
  /** Name, value, name, value. Host and content-length are set by the client. */
  readonly headers: readonly string[];
  readonly body?: Buffer;
  /** Aborting it closes the upstream connection; the handler then hears nothing more. */
  readonly signal?: AbortSignal;
}

/** A whole answer, header names and values in turn. */
export interface CollectedAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** The one way out of this server. */
export interface EgressClient extends AsyncDisposable {
  /** Sends once, never again. Failures come to `handler.onError`; nothing is thrown. */
  request(request: EgressRequest, handler: UpstreamHandler): Exchange;
  /** The answer whole; AppError as of `onError`, `upstream_failed` beyond `limitBytes`, or the signal's reason. */
  collect(request: EgressRequest, limitBytes: number): Promise<CollectedAnswer>;
  /** Ends every connection; what is under way fails with `upstream_failed`. */
  close(): Promise<void>;
}

/** All in milliseconds; every one has a default. */
export interface EgressTimeouts {
  readonly connectTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  /** The longest pause between two chunks of a body; time spent paused by the caller does not count. */
  readonly bodyIdleTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 600_000;
const BODY_IDLE_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 4_000;
const MAX_CONNECTIONS_PER_ORIGIN = 256;
const MAX_WAITING_PER_ORIGIN = 1024;
const MAX_ORIGINS = 64;
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * HTTP/1.1 over one pool per origin. Only http and https, no user-info, no redirects, no proxy of the environment.
 * At most 64 origins keep their pool; the one longest unused goes first and finishes what it has under way.
 */
export function createEgressClient(timeouts: EgressTimeouts = {}): EgressClient {
  const pools = new PoolSet(timeouts);
  const request = (wanted: EgressRequest, handler: UpstreamHandler): Exchange => {
    const refusal = refusalOf(wanted.url);
    return exchange(wanted, handler, refusal ?? pools.poolFor(wanted.url.origin));
  };
  const close = () => pools.close();
  return {
    request,
    collect: (wanted, limitBytes) => collect(request, wanted, limitBytes),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function refusalOf(url: URL): AppError | undefined {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return new AppError("egress_denied", "Only http and https URLs are connected to.");
  }
  if (url.username !== "" || url.password !== "") {
    return new AppError("egress_denied", "An upstream URL must not hold a user name or password.");
  }
  return undefined;
}

class PoolSet {
  /** By origin, the longest unused first. */
  readonly #pools = new Map<string, Pool>();
  /** Pools that were displaced and still finish their requests. */
  readonly #leaving = new Set<Pool>();
  readonly #timeouts: EgressTimeouts;
  #closed = false;

  constructor(timeouts: EgressTimeouts) {
    this.#timeouts = timeouts;
  }

  poolFor(origin: string): Pool | AppError {
    if (this.#closed) return new AppError("shutting_down");
    const pool = this.#pools.get(origin) ?? this.#open(origin);
    this.#pools.delete(origin);
    this.#pools.set(origin, pool);
    this.#displaceOldest();
    if (pool.stats.queued < MAX_WAITING_PER_ORIGIN) return pool;
    return new AppError("upstream_unreachable", "Too many requests are waiting for this upstream.");
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values(), ...this.#leaving];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(origin: string): Pool {
    const timeouts = this.#timeouts;
    return new Pool(origin, {
      connections: MAX_CONNECTIONS_PER_ORIGIN,
      pipelining: 1,
      // One connection serves one request, so that pausing one stream stops no other.
      allowH2: false,
      useMilo: false,
      connectTimeout: timeouts.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      headersTimeout: timeouts.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      bodyTimeout: timeouts.bodyIdleTimeoutMs ?? BODY_IDLE_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  }

  #displaceOldest(): void {
    const oldest = this.#pools.entries().next().value;
    if (this.#pools.size <= MAX_ORIGINS || oldest === undefined) return;
    const [origin, pool] = oldest;
    this.#pools.delete(origin);
    this.#leaving.add(pool);
    const left = () => this.#leaving.delete(pool);
    pool.close().then(left, left);
  }
}

function collect(
  request: EgressClient["request"],
  wanted: EgressRequest,
  limitBytes: number,
): Promise<CollectedAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<CollectedAnswer>();
  const signal = wanted.signal;
  const onAbort = () => reject(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const chunks: Buffer[] = [];
  let head = { status: 0, headers: [] as readonly string[] };
  let bytes = 0;
  const under = request(wanted, {
    onHeaders: (status, headers) => {
      head = { status, headers };
    },
    onData: (chunk) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= limitBytes) return;
      under.abort();
      reject(new AppError("upstream_failed", `The upstream's answer is larger than ${limitBytes} bytes.`));
    },
    onEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
    onError: reject,
  });
  return promise.finally(() => signal?.removeEventListener("abort", onAbort));
}
