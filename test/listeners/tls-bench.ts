import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { systemRandom } from "#platform/lib/random.ts";
import { settleSelfSigned } from "#platform/tls/self-signed.ts";

/** A handshake; the connection is the caller's to end. */
export async function shake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** Of the certificate that is shown to who asks for this name. */
export async function fingerprint(url: string, servername?: string): Promise<string> {
  const socket = await shake(url, servername === undefined ? {} : { servername });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

/** A pair for these names in a directory of its own. */
export async function makePair(directory: string, ...names: string[]) {
  mkdirSync(directory, { recursive: true });
  return settleSelfSigned(
    directory,
    { names, addresses: ["127.0.0.1"] },
    { clock: { now: Date.now }, random: systemRandom },
  );
}

/** Of the certificate in a file. */
export const printOf = (path: string) => new X509Certificate(readFileSync(path)).fingerprint256;
