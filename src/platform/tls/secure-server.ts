import { constants } from "node:crypto";
import type { ServerOptions } from "node:http";
import { createServer, type Server } from "node:https";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { TlsMaterial, TlsPair } from "./material.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Forward secrecy and authenticated encryption only (RFC 9325, 4.2). */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

export interface SecureServer {
  readonly server: Server;
  /** New connections meet this from now on; those that are open stay as they are. */
  replace(material: TlsMaterial): void;
}

/**
 * An HTTPS server that picks its certificate by the name a client asks for. `onHandshakeError` is told the code of what
 * ended a connection before TLS was agreed on; such a connection is cut.
 */
export function createSecureServer(
  material: TlsMaterial,
  options: ServerOptions,
  onHandshakeError: (code: string) => void,
): SecureServer {
  let byName = contextsByName(material);
  const server = createServer({
    ...options,
    ...defaultContext(material),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    SNICallback: (name, done) => done(null, byName(name.toLowerCase())),
  });
  // Node's own would hand what is no TLS to the HTTP parser's error answer.
  server.removeAllListeners("tlsClientError");
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    socket.destroy();
    onHandshakeError(error.code ?? error.message);
  });
  return {
    server,
    replace: (next) => {
      byName = contextsByName(next);
      server.setSecureContext(defaultContext(next));
    },
  };
}

function contextsByName({ pairs, ticketKeys }: TlsMaterial): (name: string) => SecureContext | undefined {
  // The first pair is the server's own context already.
  const contexts = new Map<string, SecureContext | undefined>();
  pairs.forEach(({ pair, names }, index) => {
    const context = index === 0 ? undefined : createSecureContext(contextOptions(pair, ticketKeys));
    for (const name of names) if (!contexts.has(name)) contexts.set(name, context);
  });
  return (name) =>
    contexts.has(name) ? contexts.get(name) : contexts.get(`*${name.slice(name.indexOf("."))}`);
}

function defaultContext({ pairs: [first], ticketKeys }: TlsMaterial): SecureContextOptions {
  if (first === undefined) throw new Error("a TLS listener without a certificate");
  return contextOptions(first.pair, ticketKeys);
}

function contextOptions(pair: TlsPair, ticketKeys: Uint8Array): SecureContextOptions {
  return {
    ...("cert" in pair ? pair : { pfx: Buffer.from(pair.pfx), passphrase: pair.passphrase }),
    // As bytes of Node's own: what came from another thread is a bare array.
    ticketKeys: Buffer.from(ticketKeys),
    // Node's own differs from thread to thread, and none would take up a session of another.
    sessionIdContext: "claviger",
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
    honorCipherOrder: true,
    ecdhCurve: "X25519:P-256:P-384",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
