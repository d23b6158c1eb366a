import { createServer, type Server } from "node:net";
import { bindError } from "./listener.ts";

/**
 * Makes sure that a port several threads are to share is this process's own: with `reusePort` a second server would be
 * let in without an error, and take half of what comes in. The address is bound alone once, which fails where anyone
 * listens, and a socket of the abstract namespace (unix(7)) named after it is held, which the kernel frees however the
 * process ends: so of two that start at once one is refused. Throws StartError.
 */
export async function claimPort(target: {
  readonly host: string;
  readonly port: number;
}): Promise<AsyncDisposable> {
  const claim = createServer((socket) => socket.destroy());
  await listen(claim, { path: `\0claviger listens on ${target.host} port ${target.port}` }, target);
  const release = () => new Promise<void>((resolve) => claim.close(() => resolve()));
  const probe = createServer();
  try {
    await listen(probe, { ...target, ipv6Only: target.host.includes(":"), exclusive: true }, target);
  } catch (error) {
    await release();
    throw error;
  }
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return { [Symbol.asyncDispose]: release };
}

function listen(
  server: Server,
  where: { path: string } | { host: string; port: number; ipv6Only: boolean; exclusive: boolean },
  target: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, target)));
    server.listen(where, resolve);
  });
}
