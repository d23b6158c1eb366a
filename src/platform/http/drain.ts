import type { Server as HttpServer } from "node:http";
import type { Server as NetServer, Socket } from "node:net";

/** An HTTP server over TCP, a Unix socket or TLS. */
export type Server = NetServer &
  Pick<HttpServer, "closeIdleConnections" | "closeAllConnections" | "maxHeadersCount">;

/** Stops accepting; settles when what runs over the `open` sockets has ended, or is cut when `drainMs` is over. */
export async function drain(
  server: Server,
  open: ReadonlySet<Socket>,
  { drainMs, closeIdle: closeOwn }: { drainMs: number; closeIdle: () => void },
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closeIdle = () => {
    server.closeIdleConnections();
    closeOwn();
    // Opened ahead, as browsers and pools do: to Node a connection that has said nothing is not idle.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  closeIdle();
  // A kept-alive connection is idle, and may be closed, only once its running answer has ended.
  const sweep = setInterval(closeIdle, 50);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
    // To Node one that has not yet agreed on TLS is no connection of its own.
    for (const socket of open) socket.destroy();
  }, drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
