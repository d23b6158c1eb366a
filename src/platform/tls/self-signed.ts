import { createPrivateKey, createPublicKey, type webcrypto, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { StartError } from "../lib/error.ts";
import { writeFileDurably } from "../lib/file.ts";
import type { Random } from "../lib/random.ts";
import type { OwnNames } from "./own-names.ts";
import { readPemFile } from "./pem-file.ts";

const { subtle } = globalThis.crypto;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const COMMON_NAME = "claviger";
const DAY_MS = 86_400_000;
/** The longest that Apple's clients accept is 398. */
const VALID_DAYS = 397;
const RENEWED_DAYS_BEFORE = 30;
/** Clients' clocks differ. */
const SKEW_MS = 3_600_000;
const SERIAL_BYTES = 16;

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

interface Tools {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The server's own certificate in `directory`: `claviger.crt` (0644) and `claviger.key` (0400), ECDSA P-256, valid 397
 * days (RFC 5280). It is made when missing, and made anew with the same key 30 days before its end, or where it is not
 * for all of `wanted`. A pair under these names that this server did not make is left as it is. Throws StartError.
 */
export async function settleSelfSigned(
  directory: string,
  wanted: OwnNames,
  tools: Tools,
): Promise<CertificateFiles> {
  const files = filesIn(directory);
  const there = existsSync(files.cert);
  if (there && !existsSync(files.key))
    throw new StartError(`${files.cert} is there without its key ${files.key}; put it back, or remove both`);
  const found = there ? ownIn(files) : undefined;
  if (!there || (found !== undefined && (isOfAnotherTime(found, tools.clock) || !isFor(found, wanted))))
    await make(files, wanted, tools);
  return files;
}

/**
 * Makes it anew when its end is near, or where it has not begun, because the clock was set back. Other names do not
 * count here: only a start may change what clients have pinned.
 */
export async function renewSelfSigned(directory: string, wanted: OwnNames, tools: Tools): Promise<void> {
  const files = filesIn(directory);
  const found = ownIn(files);
  if (found !== undefined && isOfAnotherTime(found, tools.clock)) await make(files, wanted, tools);
}

function filesIn(directory: string): CertificateFiles {
  return { cert: join(directory, "claviger.crt"), key: join(directory, "claviger.key") };
}

async function make(files: CertificateFiles, wanted: OwnNames, tools: Tools): Promise<void> {
  try {
    mkdirSync(dirname(files.cert), { recursive: true, mode: 0o755 });
    const key = existsSync(files.key) ? readPemFile(files.key).toString() : await makeKey(files.key);
    await writeFileDurably(files.cert, Buffer.from(await sign(key, wanted, tools)), 0o644);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const reason = cause instanceof Error ? cause.message : "";
    throw new StartError(`the certificate ${files.cert} cannot be made: ${reason}`, { exitCode: 73, cause });
  }
}

/** The certificate, where it is one of ours. */
function ownIn({ cert }: CertificateFiles): X509Certificate | undefined {
  try {
    const found = new X509Certificate(readPemFile(cert));
    return found.subject === `CN=${COMMON_NAME}` && found.issuer === found.subject ? found : undefined;
  } catch {
    // Whoever reads it for use says what is wrong with it.
    return undefined;
  }
}

function isOfAnotherTime({ validFrom, validTo }: X509Certificate, clock: Clock): boolean {
  const leftMs = Date.parse(validTo) - clock.now();
  return leftMs <= RENEWED_DAYS_BEFORE * DAY_MS || Date.parse(validFrom) > clock.now();
}

function isFor(certificate: X509Certificate, { names, addresses }: OwnNames): boolean {
  return (
    names.every((name) => certificate.checkHost(name) !== undefined) &&
    addresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

async function makeKey(path: string): Promise<string> {
  const made = await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const bytes = Buffer.from(await subtle.exportKey("pkcs8", made.privateKey));
  const key = createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  const pem = key.export({ format: "pem", type: "pkcs8" }).toString();
  await writeFileDurably(path, Buffer.from(pem), 0o400);
  return pem;
}

async function sign(keyPem: string, wanted: OwnNames, { clock, random }: Tools): Promise<string> {
  // Only a server that makes one needs them, and every start would wait for them.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const from = Math.floor((clock.now() - SKEW_MS) / 1000) * 1000;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // The byte in front keeps the number positive, and its length the same.
    serialNumber: `01${random.bytes(SERIAL_BYTES).toString("hex")}`,
    name: `CN=${COMMON_NAME}`,
    notBefore: new Date(from),
    notAfter: new Date(from + VALID_DAYS * DAY_MS),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys: await keyPair(keyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...wanted.names.map((value) => ({ type: "dns", value }) as const),
        ...wanted.addresses.map((value) => ({ type: "ip", value }) as const),
      ]),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

async function keyPair(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(pem);
  const own = key.export({ format: "der", type: "pkcs8" });
  const open = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    privateKey: await subtle.importKey("pkcs8", own, ALGORITHM, false, ["sign"]),
    publicKey: await subtle.importKey("spki", open, ALGORITHM, true, ["verify"]),
  };
}
