import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "#platform/lib/hmac.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { parsePin } from "#services/cluster/index.ts";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { addListeners, ask, entryOf, listenerSpec } from "#test/listeners/bench.ts";

/** A PIN nobody refuses, made for one test. */
export function newPin(): string {
  for (;;) {
    const text = String(systemRandom.bytes(6).readUIntBE(0, 6)).slice(-8);
    if (text.length === 8 && parsePin(text).ok) return text;
  }
}

/** Opens a TLS listener with the server's own certificate, where members come in; gives its URL. */
export async function openToMembers(claviger: TestClaviger): Promise<string> {
  const members = { tls: { kind: "auto" }, entry: entryOf({ cluster: true }) } as const;
  const [url = ""] = await addListeners(claviger, listenerSpec("members", members));
  return url;
}

/** A server in a cluster of its own, where others may join. */
export async function startMember(
  pin: string,
  options: TestOptions = {},
): Promise<{ readonly claviger: TestClaviger; readonly url: string; readonly tlsKey: string }> {
  const claviger = await startClaviger(options);
  const url = await openToMembers(claviger);
  const { status, text } = await claviger.control({
    method: "POST",
    path: "/api/v1/cluster/init",
    body: { pin },
  });
  if (status !== 201) throw new Error(`no cluster: ${text}`);
  const certificate = readFileSync(join(claviger.dataDir, "etc", "certs", "claviger.crt"));
  return { claviger, url, tlsKey: tlsKeyOf(certificate) };
}

/** What a joiner tells of the certificate it saw. */
export function tlsKeyOf(certificate: string | Buffer): string {
  const { publicKey } = new X509Certificate(certificate);
  return sha256(publicKey.export({ format: "der", type: "spki" })).toString("base64url");
}

/** Has this server join another, as its command line does. */
export function joinBy(claviger: TestClaviger, url: string, pin: string) {
  return claviger.control({ method: "POST", path: "/api/v1/cluster/join", body: { url, pin } });
}

/** One message of a join, as a program writes it that is no Claviger. */
export function sendStep(url: string, step: "start" | "finish", body: unknown) {
  return ask(url, {
    method: "POST",
    path: `/cluster/join/${step}`,
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    rejectUnauthorized: false,
  });
}

/** The member token in a server's files. */
export function tokenOf(claviger: TestClaviger): string {
  return credentialOf(claviger, "pin_derived_key");
}

/** What is in `node.key`. */
export function nodeKeyOf(claviger: TestClaviger): string {
  return credentialOf(claviger, "node.key");
}

function credentialOf({ dataDir }: TestClaviger, file: string): string {
  return readFileSync(join(dataDir, "etc", "credentials", file), "utf8");
}
