import type { Socket } from "node:net";
import { AppError } from "../lib/error.ts";

const MAX_HEAD_BYTES = 16 * 1024;
const REFUSED = "The proxy did not open a way to the upstream.";

/**
 * Asks an HTTP proxy for a tunnel to `authority` (`host:port`) and settles once it is open (RFC 9110, 9.3.6). Rejects
 * with AppError `upstream_unreachable` when the proxy refuses, or with the signal's reason; the socket is then closed.
 */
export async function openTunnel(socket: Socket, authority: string, signal: AbortSignal): Promise<void> {
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) throw signal.reason;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const { status, after } = await readHead(socket);
    if (status < 200 || status > 299) throw refused(`status ${status}`);
    // Whoever is at the other end speaks second, over TLS and in HTTP: bytes before that are not from there.
    if (after > 0) throw refused("bytes after the proxy's answer");
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function readHead(socket: Socket): Promise<{ status: number; after: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; after: number }>();
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length > MAX_HEAD_BYTES) return reject(refused("an answer without end"));
    if (end < 0) return;
    const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString("latin1")) ?? [];
    if (status === undefined) return reject(refused("no HTTP answer"));
    resolve({ status: Number(status), after: head.length - end - 4 });
  };
  const onClose = () => reject(refused("closed"));
  socket.on("data", onData);
  socket.once("error", reject);
  socket.once("close", onClose);
  return promise.finally(() => {
    socket.pause();
    socket.off("data", onData).off("error", reject).off("close", onClose);
  });
}

function refused(detail: string): AppError {
  return new AppError("upstream_unreachable", REFUSED, { detail: `proxy: ${detail}` });
}
