import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "#platform/lib/error.ts";

/** Reads a request's body whole, up to `limitBytes`; beyond it nothing more is kept. Rejects with AppError 413, or 400 when cut. */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Buffer> {
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) {
        request.pause();
        chunks.length = 0;
        reject(new AppError("body_too_large"));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)),
    );
    request.on("error", () =>
      reject(new AppError("bad_request", "The request ended before its body was complete.")),
    );
  });
}
