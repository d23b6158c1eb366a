import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ErrorCode, StartError } from "../lib/error.ts";
import type { TlsMaterial } from "../tls/material.ts";
import { createSecureServer } from "../tls/secure-server.ts";
import { addressOwner } from "./address-owner.ts";
import { drain, type Server } from "./drain.ts";
import type { Front, GatewayFront } from "./front.ts";
import { createServer } from "./node-http.ts";
import type { PlainConnectionParts } from "./plain/plain-connection.ts";
import { PlainConnections } from "./plain/plain-connections.ts";
import type { ListenerPolicy } from "./ports.ts";
import { refuseRaw } from "./raw-refusal.ts";

export type ListenTarget = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface Listener {
  /** What is put here holds from the next request on. */
  policy: ListenerPolicy;
  /** `http://127.0.0.1:8441`, or the path of a socket. */
  readonly url: string;
  /** What it is bound to, a port of 0 resolved. */
  readonly target: ListenTarget;
  /** Gives a TLS listener other certificates; connections that are open stay as they are. */
  secure(material: TlsMaterial): void;
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

export interface ListenerOptions {
  readonly target: ListenTarget;
  readonly policy: ListenerPolicy;
  readonly front: Front;
  /** Where it is given, plain requests for the gateway are read here, and are handed to this. */
  readonly gatewayFront?: GatewayFront;
  readonly newRequestId: () => string;
  readonly onBroken: (broken: BrokenRequest, policy: ListenerPolicy) => void;
  /** A connection ended before TLS was agreed on; `code` is OpenSSL's or the system's. */
  readonly onHandshakeError?: (code: string, policy: ListenerPolicy) => void;
  /** It speaks TLS with these certificates. */
  readonly tls?: TlsMaterial | undefined;
  readonly timeouts?: Timeouts;
  /** Other threads of this process listen on the same port, and the kernel spreads what comes in over all. */
  readonly sharesPort?: boolean;
  readonly headerLimitBytes?: number;
}

/** Binds one address. Slow senders are cut: headers after 20 s, a whole request after 60 s, unless said. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { target, front } = options;
  const { server, replace } = createHardServer(options, (code) =>
    options.onHandshakeError?.(code, listener.policy),
  );
  const open = new Set<Socket>();
  const listener: Listener = {
    policy: options.policy,
    url: "",
    target,
    secure: replace,
    close: (drainMs) => drain(server, open, { drainMs, closeIdle: () => plain?.closeIdle() }),
  };
  // Answers on their way, by socket: a client may send the next request before the last is answered.
  const running = new WeakMap<Duplex, ServerResponse[]>();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const here = running.get(request.socket) ?? [];
    if (here.push(response) === 1) running.set(request.socket, here);
    response.once("close", () => here.splice(here.indexOf(response), 1));
    const { policy } = listener;
    front(request, response, policy, addressOf(request, policy));
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, serve);
  const refuse = (error: NodeJS.ErrnoException, socket: Duplex, begun = false) => {
    const requestId = options.newRequestId();
    const address = socket instanceof Socket ? (socket.remoteAddress ?? null) : null;
    const isBegun = begun || (running.get(socket) ?? []).some((response) => response.headersSent);
    const code = refuseRaw(error, { socket, begun: isBegun, requestId });
    if (code !== undefined) options.onBroken({ requestId, address, code }, listener.policy);
  };
  const plain = readPlain(server, options, { listener, refuse });
  server.on("clientError", refuse);
  server.on("connect", (_request, socket) => refuse(new Error("CONNECT is for proxies"), socket));
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  };
  server.on("connection", keep);
  server.on("secureConnection", keep);
  await bind(server, target, options.sharesPort === true);
  const bound = boundTarget(server, target);
  return Object.assign(listener, { url: describe(bound, options.tls !== undefined), target: bound });
}

/** Where the gateway is served by those who would pass it plain requests. */
function readPlain(
  server: Server,
  { gatewayFront, headerLimitBytes = HEADER_LIMIT_BYTES, timeouts = SENDER_TIMEOUTS }: ListenerOptions,
  { listener, refuse }: { listener: Listener; refuse: PlainConnectionParts["refuse"] },
): PlainConnections | undefined {
  if (gatewayFront === undefined) return undefined;
  return new PlainConnections(server, {
    headerLimitBytes,
    timeouts: { ...timeouts, keptMs: KEEP_ALIVE_MS },
    serve: (request, response) => {
      const { policy } = listener;
      gatewayFront(request, response, policy, addressOf(request, policy));
    },
    refuse,
  });
}

function addressOf(request: Pick<IncomingMessage, "socket">, policy: ListenerPolicy): string | null {
  return policy.kind !== "tcp" ? null : (request.socket.remoteAddress ?? null);
}

function createHardServer(
  { tls, timeouts = SENDER_TIMEOUTS, headerLimitBytes = HEADER_LIMIT_BYTES }: ListenerOptions,
  onHandshakeError: (code: string) => void,
): { server: Server; replace: Listener["secure"] } {
  const options: ServerOptions = {
    maxHeaderSize: headerLimitBytes,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: Math.min(1000, timeouts.headersMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The gates answer for a missing Host, with a request id.
    requireHostHeader: false,
    // Whatever NODE_OPTIONS says: a lenient parser is how requests are smuggled.
    insecureHTTPParser: false,
  };
  const made =
    tls === undefined
      ? {
          server: createServer(options),
          replace: () => {
            throw new Error("certificates for a listener without TLS");
          },
        }
      : createSecureServer(tls, options, onHandshakeError);
  const server: Server = made.server;
  // Node drops headers beyond this count without a word: a proxy's X-Forwarded-For could be hidden so.
  server.maxHeadersCount = 0;
  return { server, replace: made.replace };
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

function describe(target: ListenTarget, secure: boolean): string {
  const scheme = secure ? "https" : "http";
  return "socketPath" in target ? target.socketPath : `${scheme}://${bracketed(target.host)}:${target.port}`;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
