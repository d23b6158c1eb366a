import type { Duplex } from "node:stream";
import { AppError, type ErrorCode } from "../lib/error.ts";
import { toProblem } from "./problem.ts";

/** How long a refused peer may take to read the answer. */
const LINGER_MS = 1000;

/**
 * Answers on the bare socket what Node's parser refused, and closes it. Where an answer is already on its way there
 * (`begun`), another one in the middle of it would be read as its content: then the socket is only closed. Gives
 * the code that was answered, undefined when none was.
 */
export function refuseRaw(
  error: NodeJS.ErrnoException,
  { socket, begun, requestId }: { socket: Duplex; begun: boolean; requestId: string },
): ErrorCode | undefined {
  if (error.code === "ECONNRESET" || !socket.writable || begun) {
    socket.destroy();
    return undefined;
  }
  const refusal = new AppError(codeOf(error.code));
  const body = JSON.stringify(toProblem(refusal, requestId));
  socket.end(
    `HTTP/1.1 ${refusal.status} Refused\r\ncontent-type: application/problem+json\r\nx-request-id: ${requestId}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // A peer that never closes its side would keep the socket for good.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  return refusal.code;
}

function codeOf(code: string | undefined): "header_too_large" | "request_timeout" | "bad_request" {
  if (code === "HPE_HEADER_OVERFLOW") return "header_too_large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  return "bad_request";
}
