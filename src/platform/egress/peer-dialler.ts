import { TLSSocket } from "node:tls";
import { AppError } from "#platform/lib/error.ts";
import { sha256 } from "../lib/hmac.ts";
import { channelBinding } from "../tls/channel-binding.ts";
import { Connection } from "./connection.ts";
import { createConnector } from "./connector.ts";
import { type CollectedAnswer, type EgressParts, openGuard } from "./egress-client.ts";
import { Call } from "./exchange.ts";
import type { Guard } from "./guard.ts";
import { judgeUrl } from "./url-policy.ts";
import { denialError } from "./verdict.ts";

/** A connection, over TLS 1.3, to a server whose certificate nobody vouched for, for one request. */
export interface PeerConnection extends AsyncDisposable {
  /** SHA-256 of the public key (SPKI, DER) that its TLS proved to have, base64url: whoever sends binds it into a proof of his own. */
  readonly publicKey: string;
  /** What no other connection has (RFC 9266, `tls-exporter`), base64url. */
  readonly binding: string;
  /** Sends JSON, once; the whole answer. Throws AppError as the egress client does, or the signal's reason. */
  post(path: string, body: unknown, options?: PostOptions): Promise<CollectedAnswer>;
}

interface PostOptions {
  /** Name, value, name, value; beside those of JSON. */
  readonly headers?: readonly string[];
  /** 64 KiB unless given. */
  readonly answerLimitBytes?: number;
}

/** Leads to servers that are to be known by their public key. */
export interface PeerDialler extends AsyncDisposable {
  /**
   * Throws AppError `egress_denied`, or `upstream_unreachable`. Only https. `signal` ends the connection too: what is
   * under way rejects with its reason.
   */
  connect(url: URL, signal?: AbortSignal): Promise<PeerConnection>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;
const ANSWER_LIMIT_BYTES = 64 * 1024;

/** The same guard stands before these connections as before all others; only their certificates are not judged. */
export function createPeerDialler(parts: EgressParts): PeerDialler {
  const closing = new AbortController();
  const guard = openGuard(parts, closing.signal);
  return {
    connect: (url, given) => {
      const signal = given === undefined ? closing.signal : AbortSignal.any([closing.signal, given]);
      return unlessAborted(connect(guard, url, signal), signal);
    },
    [Symbol.asyncDispose]: async () => closing.abort(new AppError("shutting_down")),
  };
}

async function connect(guard: Guard, url: URL, signal: AbortSignal): Promise<PeerConnection> {
  const verdict = judgeUrl(url);
  if (!verdict.allowed) throw denialError(verdict);
  const connectTo = createConnector({
    guard,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    ca: undefined,
    proxy: undefined,
    unverified: true,
    closing: signal,
  });
  const socket = await connectTo(url);
  const [publicKey, binding] = [publicKeyOf(socket), channelBinding(socket)];
  if (publicKey !== undefined && binding !== undefined)
    return openPeer(new Connection(socket, { onFree: () => {}, onClosed: () => {} }), url, {
      publicKey,
      binding,
      signal,
    });
  socket.destroy();
  throw new AppError("upstream_unreachable", "The server showed no certificate.");
}

function publicKeyOf(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  return key && sha256(key).toString("base64url");
}

function openPeer(
  connection: Connection,
  url: URL,
  {
    publicKey,
    binding,
    signal,
  }: { readonly publicKey: string; readonly binding: string; readonly signal: AbortSignal },
): PeerConnection {
  const cut = () => connection.destroy();
  signal.addEventListener("abort", cut, { once: true });
  // Whoever gave up while it was dialled never gets it to close.
  if (signal.aborted) cut();
  return {
    publicKey,
    binding,
    post: (path, body, options = {}) =>
      unlessAborted(collect(connection, url, { path, body, signal, ...options }), signal),
    [Symbol.asyncDispose]: () => {
      signal.removeEventListener("abort", cut);
      return connection.fail(new AppError("shutting_down"));
    },
  };
}

/** Rejects with the signal's reason as soon as it is aborted, whatever becomes of the work. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", onAbort));
}

function collect(
  connection: Connection,
  url: URL,
  asked: PostOptions & { readonly path: string; readonly body: unknown; readonly signal: AbortSignal },
): Promise<CollectedAnswer> {
  const { path, body, signal, headers = [], answerLimitBytes = ANSWER_LIMIT_BYTES } = asked;
  const { promise, resolve, reject } = Promise.withResolvers<CollectedAnswer>();
  const chunks: Buffer[] = [];
  let head = { status: 0, headers: [] as readonly string[] };
  let bytes = 0;
  const outbound = {
    method: "POST",
    target: path,
    host: url.host,
    headers: ["content-type", "application/json", "accept", "application/json", ...headers],
    body: Buffer.from(JSON.stringify(body)),
    headersTimeoutMs: ANSWER_TIMEOUT_MS,
    bodyIdleTimeoutMs: ANSWER_TIMEOUT_MS,
  };
  const handler = {
    onHeaders: (status: number, headers: readonly string[]) => {
      head = { status, headers };
    },
    onData: (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > answerLimitBytes) call.fail(new AppError("upstream_failed", "The answer is too large."));
    },
    onEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
    onError: reject,
  };
  const call = new Call(outbound, handler, { signal, onDenied: undefined });
  if (connection.closed) call.fail(new AppError("upstream_failed"));
  else connection.send(call);
  return promise;
}
