import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { StartError } from "../lib/error.ts";
import { sha256 } from "../lib/hmac.ts";
import { type LoadedPair, pathsOf, type TlsFiles, type TlsPair } from "./material.ts";
import { readPemFile } from "./pem-file.ts";

/** Reads and checks a pair. Throws StartError that names the path, and nothing of what is in the file. */
export function readPair(files: TlsFiles): LoadedPair {
  const [first, second] = pathsOf(files);
  const [one, other] = [readPemFile(first), readPemFile(second)];
  return "cert" in files
    ? checkPair(files, { cert: one.toString(), key: other.toString() })
    : checkPfx(files.pfx, { pfx: one, passphrase: other.toString().replace(/\r?\n$/, "") });
}

function checkPair(paths: { cert: string; key: string }, pair: { cert: string; key: string }): LoadedPair {
  const certificate = attempt(
    () => new X509Certificate(pair.cert),
    () => `${paths.cert} holds no certificate in PEM form`,
  );
  const key: KeyObject = attempt(
    () => createPrivateKey(pair.key),
    () => `${paths.key} holds no private key in PEM form that opens without a password`,
  );
  if (!certificate.checkPrivateKey(key))
    throw new StartError(`the key in ${paths.key} is not that of the certificate in ${paths.cert}`);
  attempt(
    () => createSecureContext(pair),
    (code) => `the certificate in ${paths.cert} cannot be used (${code})`,
  );
  return factsOf(certificate, pair);
}

function checkPfx(path: string, pair: { pfx: Buffer; passphrase: string }): LoadedPair {
  const context = attempt(
    () => createSecureContext(pair),
    () =>
      `${path} cannot be opened: it is no PKCS #12 file with certificate and key, or the password is wrong`,
  );
  const certificate = certificateIn(context);
  if (certificate === undefined) throw new StartError(`${path} holds no certificate`);
  return factsOf(certificate, pair);
}

/** Only a connection tells which certificate a context has; this one leads nowhere. */
function certificateIn(secureContext: SecureContext): X509Certificate | undefined {
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = new TLSSocket(nowhere, { isServer: true, secureContext });
  const certificate = socket.getX509Certificate();
  socket.destroy();
  return certificate;
}

function factsOf(certificate: X509Certificate, pair: TlsPair): LoadedPair {
  const alternatives = (certificate.subjectAltName ?? "").split(", ");
  const starting = (prefix: string) =>
    alternatives.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    pair,
    // Node quotes what could be read as two names; nothing that needs quotes is a host's name.
    names: starting("DNS:")
      .filter((name) => /^[A-Za-z0-9*._-]+$/.test(name))
      .map((name) => name.toLowerCase()),
    addresses: starting("IP Address:"),
    subject: certificate.subject.replaceAll("\n", ", "),
    // Not checkIssued: that wants the right to sign others, which ours does not claim.
    isSelfSigned: certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey),
    beginsMs: Date.parse(certificate.validFrom),
    expiresMs: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    publicKey: sha256(certificate.publicKey.export({ type: "spki", format: "der" })).toString("base64url"),
  };
}

function attempt<Value>(act: () => Value, words: (code: string) => string): Value {
  try {
    return act();
  } catch (cause) {
    throw new StartError(words(codeOf(cause)), { cause });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "it is damaged";
}
