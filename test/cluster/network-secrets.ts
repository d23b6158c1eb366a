import { createPrivateKey } from "node:crypto";
import type { Machine } from "./network-machine.ts";

/** What must leave none of these members but sealed, by name; `pin` is the cluster's. */
export function secretsOf(pin: string, ...machines: readonly Machine[]): Record<string, Buffer> {
  const own = machines.flatMap((machine) => [
    [`node.key of ${machine.name}`, privatePart(machine.file("credentials/node.key"))],
    [`claviger.key of ${machine.name}`, privatePart(machine.file("certs/claviger.key"))],
  ]);
  const [first] = machines;
  const { salt, pepper, opaque } = JSON.parse(first?.file("credentials/cluster.json") ?? "");
  const token = first?.file("credentials/pin_derived_key").trim() ?? "";
  return {
    ...Object.fromEntries(own),
    PIN: Buffer.from(pin),
    salt: Buffer.from(salt, "base64url"),
    pepper: Buffer.from(pepper, "base64url"),
    "member token": Buffer.from(token, "base64url"),
    "member token, its text": Buffer.from(token),
    "OPAQUE setup": Buffer.from(opaque.server_setup, "base64url"),
    "OPAQUE record": Buffer.from(opaque.record, "base64url"),
  };
}

/** What of a private key nobody else may have, as it stands in its file. */
function privatePart(pem: string): Buffer {
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
  return Buffer.from(d, "base64url");
}
