import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ErrorCode, StartError } from "../lib/error.ts";
import { addressOwner } from "./address-owner.ts";
import type { Front } from "./front.ts";
import type { ListenerPolicy } from "./ports.ts";
import { refuseRaw } from "./raw-refusal.ts";

export type ListenTarget = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface Listener {
  readonly policy: ListenerPolicy;
  /** `http://127.0.0.1:8441`, or the path of the control socket. */
  readonly url: string;
  /** What it is bound to, a port of 0 resolved. */
  readonly target: ListenTarget;
  /** Stops accepting, lets running requests end until `drainMs` is over, then cuts them. */
  close(drainMs: number): Promise<void>;
}

export const HEADER_LIMIT_BYTES = 16 * 1024;
/** What senders get unless said otherwise. */
export const SENDER_TIMEOUTS: Timeouts = { headersMs: 20_000, requestMs: 60_000 };
const KEEP_ALIVE_MS = 65_000;

/** When a slow sender is cut: before its headers, and before its whole request has arrived. */
export interface Timeouts {
  readonly headersMs: number;
  readonly requestMs: number;
}

/** A request that never became one: for the access log. */
export interface BrokenRequest {
  readonly requestId: string;
  readonly address: string | null;
  readonly code: ErrorCode;
}

/** Binds one address. Slow senders are cut: headers after 20 s, a whole request after 60 s, unless said. */
export async function openListener(options: {
  target: ListenTarget;
  policy: ListenerPolicy;
  front: Front;
  newRequestId: () => string;
  onBroken: (broken: BrokenRequest) => void;
  timeouts?: Timeouts;
  /** Other threads of this process listen on the same port, and the kernel spreads what comes in over all. */
  sharesPort?: boolean;
  headerLimitBytes?: number;
}): Promise<Listener> {
  const { target, policy, front } = options;
  const server = createHardServer(
    options.timeouts ?? SENDER_TIMEOUTS,
    options.headerLimitBytes ?? HEADER_LIMIT_BYTES,
  );
  // Answers on their way, by socket: a client may send the next request before the last is answered.
  const running = new WeakMap<Duplex, Set<ServerResponse>>();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const here = running.get(request.socket) ?? new Set();
    running.set(request.socket, here.add(response));
    response.once("close", () => here.delete(response));
    front(request, response, policy, addressOf(request, policy));
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, serve);
  const refuse = (error: NodeJS.ErrnoException, socket: Duplex) => {
    const requestId = options.newRequestId();
    const address = socket instanceof Socket ? (socket.remoteAddress ?? null) : null;
    const begun = [...(running.get(socket) ?? [])].some((response) => response.headersSent);
    const code = refuseRaw(error, { socket, begun, requestId });
    if (code !== undefined) options.onBroken({ requestId, address, code });
  };
  server.on("clientError", refuse);
  server.on("connect", (_request, socket) => refuse(new Error("CONNECT is for proxies"), socket));
  const open = new Set<Socket>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await bind(server, target, options.sharesPort === true);
  const bound = boundTarget(server, target);
  return { policy, url: describe(bound), target: bound, close: (drainMs) => drain(server, open, drainMs) };
}

function addressOf(request: IncomingMessage, policy: ListenerPolicy): string | null {
  return policy.kind === "control" ? null : (request.socket.remoteAddress ?? null);
}

function createHardServer(timeouts: Timeouts, headerLimitBytes: number): Server {
  const server = createServer({
    maxHeaderSize: headerLimitBytes,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: Math.min(1000, timeouts.headersMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The gates answer for a missing Host, with a request id.
    requireHostHeader: false,
    // Whatever NODE_OPTIONS says: a lenient parser is how requests are smuggled.
    insecureHTTPParser: false,
  });
  // Node drops headers beyond this count without a word: a proxy's X-Forwarded-For could be hidden so.
  server.maxHeadersCount = 0;
  return server;
}

function bind(server: Server, target: ListenTarget, sharesPort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, target)));
    server.listen(
      "socketPath" in target
        ? { path: target.socketPath }
        : { ...target, ipv6Only: target.host.includes(":"), exclusive: true, reusePort: sharesPort },
      resolve,
    );
  });
}

/** Why an address cannot be listened on, with the process that has it where that can be known. */
export function bindError(error: NodeJS.ErrnoException, target: ListenTarget): StartError {
  const inUse = error.code === "EADDRINUSE";
  const where = "socketPath" in target ? target.socketPath : `${bracketed(target.host)}:${target.port}`;
  const pid = inUse && "port" in target ? addressOwner(target.host, target.port) : undefined;
  const repair = inUse
    ? `The address is in use${pid === undefined ? "" : ` by process ${pid}`}. Stop the other program, or choose another address with --listen.`
    : `It cannot be opened (${error.code ?? error.message}).`;
  return new StartError(`cannot listen on ${where}: ${repair}`, { exitCode: 75, cause: error });
}

function boundTarget(server: Server, target: ListenTarget): ListenTarget {
  const bound = server.address();
  if ("socketPath" in target || bound === null || typeof bound !== "object") return target;
  return { host: target.host, port: bound.port };
}

function describe(target: ListenTarget): string {
  return "socketPath" in target ? target.socketPath : `http://${bracketed(target.host)}:${target.port}`;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

async function drain(server: Server, open: ReadonlySet<Socket>, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = () => {
    server.closeIdleConnections();
    // Opened ahead, as browsers and pools do: to Node a connection that has said nothing is not idle.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  closeIdle();
  // A kept-alive connection is idle, and may be closed, only once its running answer has ended.
  const sweep = setInterval(closeIdle, 50);
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
