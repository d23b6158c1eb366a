import { isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import { AppError } from "#platform/lib/error.ts";
import { dialFirst } from "./dial.ts";
import { egressError } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import { hostOf, portOf } from "./host-policy.ts";
import { openTunnel } from "./proxy-tunnel.ts";
import type { TrustedCa } from "./trusted-ca.ts";
import { denialError } from "./verdict.ts";

export interface ConnectorParts {
  readonly guard: Guard;
  /** For TCP and TLS together; looking the name up has a deadline of its own. */
  readonly connectTimeoutMs: number;
  /** Instead of the system's authorities. */
  readonly ca: TrustedCa | undefined;
  /** An HTTP proxy to go through, with its port. */
  readonly proxy: URL | undefined;
  /** Takes any certificate, over TLS 1.3: for those alone who prove in another way whose public key it bears. */
  readonly unverified?: true;
  /** Aborted when no connection is wanted any more. */
  readonly closing: AbortSignal;
}

/** What of an origin's URL says where to connect. */
export type ConnectTarget = Pick<URL, "protocol" | "hostname" | "port">;

/**
 * Makes every connection that leaves this server: resolves, checks each address, dials one of those just checked,
 * and over TLS verifies the certificate for the name that was asked for. With a proxy it is the proxy that is dialled
 * so; the upstream's name is then resolved and judged here as well, but which address the proxy dials is the proxy's.
 */
export function createConnector(parts: ConnectorParts): (target: ConnectTarget) => Promise<Socket> {
  return (target) => connect(parts, target);
}

async function connect(parts: ConnectorParts, target: ConnectTarget): Promise<Socket> {
  const port = portOf(target.protocol, target.port);
  const addresses = await dialled(parts, target, port);
  const context = target.protocol === "https:" ? await parts.ca?.secureContext() : undefined;
  const late = new AbortController();
  const signal = AbortSignal.any([parts.closing, late.signal]);
  const timer = setTimeout(() => late.abort(tooLate()), parts.connectTimeoutMs);
  try {
    const to = { addresses, authority: `${target.hostname}:${port}`, port };
    if (target.protocol !== "https:") return await reach(parts.proxy, to, signal);
    const socket = await reach(parts.proxy, { ...to, wrapped: true }, signal);
    const verified = parts.unverified !== true;
    return await secure(socket, { name: hostOf(target.hostname), context, verified }, signal);
  } catch (error) {
    throw error instanceof AppError || !(error instanceof Error) ? error : egressError(error, "connecting");
  } finally {
    clearTimeout(timer);
  }
}

/** The addresses to dial, checked: the upstream's, or its proxy's when the upstream itself is not denied. */
async function dialled(
  { guard, proxy }: ConnectorParts,
  target: ConnectTarget,
  port: number,
): Promise<readonly string[]> {
  if (proxy === undefined) return guard.targets(target.hostname, port);
  const verdict = await guard.verdict(`${target.protocol}//${target.hostname}:${port}`);
  if (!verdict.allowed) throw denialError(verdict);
  return guard.targets(proxy.hostname, portOf(proxy.protocol, proxy.port));
}

/** A connection at whose other end is the upstream. */
async function reach(
  proxy: URL | undefined,
  to: { addresses: readonly string[]; authority: string; port: number; wrapped?: boolean },
  signal: AbortSignal,
): Promise<Socket> {
  // Only what no one else reads from is read into shared memory: neither TLS nor a tunnel's answer.
  if (proxy === undefined)
    return dialFirst({ addresses: to.addresses, port: to.port, sharesMemory: to.wrapped !== true }, signal);
  const port = portOf(proxy.protocol, proxy.port);
  const socket = await dialFirst({ addresses: to.addresses, port, sharesMemory: false }, signal);
  await openTunnel(socket, to.authority, signal);
  return socket;
}

function tooLate(): AppError {
  return new AppError("upstream_unreachable", "The upstream did not accept a connection in time.", {
    detail: "connecting: timeout",
  });
}

function secure(
  socket: Socket,
  {
    name,
    context,
    verified,
  }: { readonly name: string; readonly context: SecureContext | undefined; readonly verified: boolean },
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({
      socket,
      // The certificate is checked for `servername`, or for `host` where that is an address, which no SNI carries.
      host: name,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(context === undefined ? {} : { secureContext: context }),
      ALPNProtocols: ["http/1.1"],
      minVersion: verified ? "TLSv1.2" : "TLSv1.3",
      // Said here because the environment could otherwise turn it off.
      rejectUnauthorized: verified,
    });
    const onAbort = () => secured.destroy(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    secured.once("secureConnect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(secured);
    });
    secured.on("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    });
    if (signal.aborted) onAbort();
  });
}
