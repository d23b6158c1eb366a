import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** A server's own certificate, for localhost and 127.0.0.1, made for one test. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  /** As `--pin` takes it. */
  readonly pin: string;
}

export async function makeCertificate(): Promise<TestCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=localhost",
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      extensions: [
        new BasicConstraintsExtension(true),
        new SubjectAlternativeNameExtension([
          { type: "dns", value: "localhost" },
          { type: "ip", value: "127.0.0.1" },
        ]),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const certificate = made.toString("pem");
  const { fingerprint256 } = new X509Certificate(certificate);
  return {
    certificate,
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`,
    pin: `sha256:${fingerprint256.replaceAll(":", "").toLowerCase()}`,
  };
}

/** Ends TLS in front of a server, as a proxy does. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What clients sent, decrypted. */
  readonly received: () => string;
}

export async function startTlsFront(own: TestCertificate, target: string): Promise<TlsFront> {
  const received: Buffer[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer({ cert: own.certificate, key: own.key }, (client) => {
    const onward = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, onward]) socket.on("error", () => {});
    client.on("data", (chunk: Buffer) => received.push(chunk));
    client.pipe(onward).pipe(client);
  });
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address: AddressInfo | string | null = server.address();
  const ownPort = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${ownPort}`,
    port: ownPort,
    received: () => Buffer.concat(received).toString(),
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
