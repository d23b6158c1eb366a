import type { Readable } from "node:stream";
import { AppError } from "#platform/lib/error.ts";
import { Call, type Exchange, type UpstreamHandler } from "./exchange.ts";
import { createGuard, type Guard } from "./guard.ts";
import { createSystemLookup, type Lookup } from "./lookup.ts";
import { createNameResolver } from "./name-resolver.ts";
import { type ListenAddress, localAddresses } from "./own-listeners.ts";
import { Pools } from "./pools.ts";
import { targetOf } from "./target.ts";
import { denialError, type Verdict } from "./verdict.ts";

/** One request to an upstream. */
export interface EgressRequest {
  readonly url: URL;
  readonly method: string;
  /** Name, value, name, value. Host, and the content-length of a Buffer, are set by the client. */
  readonly headers: readonly string[];
  /** A stream is sent as fast as the upstream takes it: with the declared content-length, else in chunks. */
  readonly body?: Buffer | Readable;
  /** Path and query to send in place of the URL's, byte for byte: a URL would respell them. */
  readonly target?: string;
  /** Aborting it closes the upstream connection; the handler then hears nothing more. */
  readonly signal?: AbortSignal;
  readonly upstream?: UpstreamOptions;
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
  /**
   * Whether a request to this URL would be denied now: the same judgement that every connect makes, its name resolved.
   * A name that does not resolve is allowed, since the upstream may not be there yet; it is judged when it is dialled.
   */
  verdict(url: string | URL): Promise<Verdict>;
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

/** What one upstream wants otherwise than the rest. */
export interface UpstreamOptions extends EgressTimeouts {
  /** A PEM file of the authorities to trust for this upstream, instead of the system's. */
  readonly caFile?: string;
  /** An HTTP proxy (`http://host:port`) through which every connection goes; none of the environment's ever is. */
  readonly proxy?: URL;
}

export interface EgressParts {
  /** For upstreams that do not say otherwise. */
  readonly timeouts?: EgressTimeouts;
  /** How names are resolved; the system's way unless given. */
  readonly lookup?: Lookup;
  readonly lookupDeadlineMs?: number;
  /** How many connections one upstream may have; enough for every stream a machine can hold, unless given. */
  readonly mostConnections?: number;
  /** Where this server listens itself, as of now. */
  readonly ownListeners?: () => readonly ListenAddress[];
  /** Told of every request that was denied, once each. */
  readonly onDenied?: (denial: { readonly origin: string; readonly error: AppError }) => void;
}

const MOST_CONNECTIONS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 600_000;
const BODY_IDLE_TIMEOUT_MS = 300_000;
const LOOKUP_DEADLINE_MS = 30_000;

/**
 * HTTP/1.1 over pools of connections, each for one origin. Only http and https, no user-info, no redirects, no proxy
 * of the environment, and only to addresses that the guard has allowed at the connect. At most 64 pools are kept; the
 * one longest unused goes first and finishes what it has under way.
 */
export function createEgressClient(parts: EgressParts = {}): EgressClient {
  const closing = new AbortController();
  const guard = openGuard(parts, closing.signal);
  const pools = new Pools(guard, closing.signal, parts.mostConnections ?? MOST_CONNECTIONS);
  const request = (wanted: EgressRequest, handler: UpstreamHandler) => send(parts, pools, wanted, handler);
  const close = () => {
    closing.abort(new AppError("shutting_down"));
    return pools.close();
  };
  return {
    request,
    collect: (wanted, limitBytes) => collect(request, wanted, limitBytes),
    verdict: (url) => guard.verdict(url),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What decides where may be connected; `closing` is aborted when nothing is to be asked any more. */
export function openGuard(parts: EgressParts, closing: AbortSignal): Guard {
  return createGuard({
    resolveName: createNameResolver({
      lookup: parts.lookup ?? createSystemLookup(),
      deadlineMs: parts.lookupDeadlineMs ?? LOOKUP_DEADLINE_MS,
      closing,
    }),
    ownListeners: parts.ownListeners ?? (() => []),
    localAddresses,
  });
}

function send(
  { timeouts: usual, onDenied }: EgressParts,
  pools: Pools,
  wanted: EgressRequest,
  handler: UpstreamHandler,
): Exchange {
  const { upstream: own, body, headers, method, signal } = wanted;
  const to = targetOf(wanted.url);
  const outbound = {
    method,
    target: wanted.target ?? to.path,
    host: to.host,
    headers,
    body,
    headersTimeoutMs: own?.headersTimeoutMs ?? usual?.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    bodyIdleTimeoutMs: own?.bodyIdleTimeoutMs ?? usual?.bodyIdleTimeoutMs ?? BODY_IDLE_TIMEOUT_MS,
  };
  const told = onDenied && ((error: AppError) => onDenied({ origin: to.origin, error }));
  const call = new Call(outbound, handler, { signal, onDenied: told });
  const pool = to.verdict.allowed
    ? pools.poolFor({
        origin: to.origin,
        caFile: own?.caFile,
        connectTimeoutMs: own?.connectTimeoutMs ?? usual?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        proxy: own?.proxy,
      })
    : denialError(to.verdict);
  // Not before the caller has the exchange in his hands.
  if (pool instanceof AppError) queueMicrotask(() => call.fail(pool));
  else if (!call.over) pool.take(call);
  return call;
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
