import type { ClientRequest, ClientResponse } from "#platform/http/client-request.ts";
import { AppError } from "#platform/lib/error.ts";

/**
 * Reads a request's body whole, up to `limitBytes`; beyond it nothing more is kept. At once where it is there already.
 * Throws, or rejects with, AppError 413, or 400 when the client left or stopped before the end.
 */
export function readBody(
  request: ClientRequest,
  response: ClientResponse,
  limitBytes: number,
): Buffer | Promise<Buffer> {
  const whole = request.takeWhole?.();
  if (whole === undefined) return receiveBody(request, response, limitBytes);
  if (whole.length > limitBytes) throw new AppError("body_too_large");
  return whole;
}

function receiveBody(request: ClientRequest, response: ClientResponse, limitBytes: number): Promise<Buffer> {
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let ended = false;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes && !response.headersSent) {
        chunks.push(chunk);
        return;
      }
      // Answered already, or too large: what still comes is thrown away.
      chunks = [];
      if (size > limitBytes) reject(new AppError("body_too_large"));
    });
    request.on("end", () => {
      ended = true;
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    const cut = () => {
      // Every request is closed in the end; an error, with its stack, is made only for one that was cut.
      if (!ended) reject(new AppError("bad_request", "The request ended before its body was complete."));
    };
    request.on("error", cut);
    request.on("close", cut);
    request.resume();
  });
}
