import { isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import { AppError } from "#platform/lib/error.ts";
import { dialFirst } from "./dial.ts";
import { egressError } from "./egress-error.ts";
import type { Guard } from "./guard.ts";
import { hostOf, portOf } from "./host-policy.ts";
import type { TrustedCa } from "./trusted-ca.ts";

export interface ConnectorParts {
  readonly guard: Guard;
  /** For TCP and TLS together; looking the name up has a deadline of its own. */
  readonly connectTimeoutMs: number;
  /** Instead of the system's authorities. */
  readonly ca: TrustedCa | undefined;
  /** Aborted when no connection is wanted any more. */
  readonly closing: AbortSignal;
}

/**
 * Makes every connection that leaves this server: resolves, checks each address, dials one of those just checked,
 * and over TLS verifies the certificate for the name that was asked for.
 */
export function createConnector(parts: ConnectorParts): buildConnector.connector {
  return (target, done) => {
    connect(parts, target).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error instanceof Error ? error : new Error("connecting failed"), null),
    );
  };
}

async function connect(parts: ConnectorParts, target: buildConnector.Options): Promise<Socket | TLSSocket> {
  const port = portOf(target.protocol, target.port);
  const addresses = await parts.guard.targets(target.hostname, port);
  const context = target.protocol === "https:" ? await parts.ca?.secureContext() : undefined;
  const late = new AbortController();
  const signal = AbortSignal.any([parts.closing, late.signal]);
  const timer = setTimeout(() => late.abort(tooLate()), parts.connectTimeoutMs);
  try {
    const socket = await dialFirst(addresses, port, signal);
    return target.protocol === "https:"
      ? await secure(socket, hostOf(target.hostname), context, signal)
      : socket;
  } catch (error) {
    throw error instanceof AppError || !(error instanceof Error) ? error : egressError(error, "connecting");
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(): AppError {
  return new AppError("upstream_unreachable", "The upstream did not accept a connection in time.", {
    detail: "connecting: timeout",
  });
}

function secure(
  socket: Socket,
  name: string,
  context: SecureContext | undefined,
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
      minVersion: "TLSv1.2",
      // Said here because the environment could otherwise turn it off.
      rejectUnauthorized: true,
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
