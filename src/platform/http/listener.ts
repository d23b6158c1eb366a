import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { AppError, StartError } from "../lib/error.ts";
import type { ListenerPolicy } from "./ports.ts";
import { toProblem } from "./problem.ts";

export type Front = (request: IncomingMessage, response: ServerResponse, policy: ListenerPolicy) => void;

export type ListenTarget = { readonly host: string; readonly port: number } | { readonly socketPath: string };

export interface Listener {
  readonly policy: ListenerPolicy;
  /** `http://127.0.0.1:8441`, or the path of the control socket. */
  readonly url: string;
  /** Stops accepting, lets running requests end until `drainMs` is over, then cuts them. */
  close(drainMs: number): Promise<void>;
}

const HEADER_LIMIT_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Binds one address. Slow senders are cut: headers after 20 s, a whole request after 60 s. */
export async function openListener(options: {
  target: ListenTarget;
  policy: ListenerPolicy;
  front: Front;
  newRequestId: () => string;
}): Promise<Listener> {
  const { target, policy, front } = options;
  const server = createServer({
    maxHeaderSize: HEADER_LIMIT_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 65_000,
  });
  server.on("request", (request, response) => front(request, response, policy));
  server.on("checkContinue", (request, response) => front(request, response, policy));
  server.on("clientError", (error, socket) => {
    if ("destroyed" in socket) refuseRaw(error, socket, options.newRequestId());
  });
  await bind(server, target);
  return { policy, url: describe(server, target), close: (drainMs) => drain(server, drainMs) };
}

function bind(server: Server, target: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, target)));
    server.listen(
      "socketPath" in target
        ? { path: target.socketPath }
        : { ...target, ipv6Only: target.host.includes(":"), exclusive: true },
      resolve,
    );
  });
}

function bindError(error: NodeJS.ErrnoException, target: ListenTarget): StartError {
  const where = "socketPath" in target ? target.socketPath : `${target.host}:${target.port}`;
  const repair =
    error.code === "EADDRINUSE"
      ? "The address is in use. Stop the other program, or choose another with --listen."
      : `It cannot be opened (${error.code ?? error.message}).`;
  return new StartError(`cannot listen on ${where}: ${repair}`, { exitCode: 75, cause: error });
}

function describe(server: Server, target: ListenTarget): string {
  if ("socketPath" in target) return target.socketPath;
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : target.port;
  return `http://${target.host.includes(":") ? `[${target.host}]` : target.host}:${port}`;
}

async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(deadline);
}

/** What Node's parser refused never becomes a request; it is answered on the bare socket and closed. */
function refuseRaw(
  error: NodeJS.ErrnoException,
  socket: Socket | import("node:stream").Duplex,
  requestId: string,
): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = new AppError(rawErrorCode(error.code));
  const body = JSON.stringify(toProblem(refusal, requestId));
  socket.end(
    `HTTP/1.1 ${refusal.status} Refused\r\ncontent-type: application/problem+json\r\nx-request-id: ${requestId}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function rawErrorCode(code: string | undefined): "header_too_large" | "request_timeout" | "bad_request" {
  if (code === "HPE_HEADER_OVERFLOW") return "header_too_large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  return "bad_request";
}
