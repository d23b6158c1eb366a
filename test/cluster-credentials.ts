import { generateKeyPairSync } from "node:crypto";
import { newId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { ClusterCredentials } from "../src/services/cluster/credential-files.ts";
import { newCredentials } from "../src/services/cluster/new-credentials.ts";
import { parsePin } from "../src/services/cluster/pin.ts";

/** A PIN nobody has had before, of eight digits. */
export function freshPin(): Secret {
  for (;;) {
    const parsed = parsePin(String(systemRandom.bytes(4).readUInt32BE()).padStart(8, "0").slice(-8));
    if (parsed.ok) return parsed.pin;
  }
}

/** The credentials of a new cluster's first member. */
export function freshCredentials(pin: Secret = freshPin()): Promise<ClusterCredentials> {
  return newCredentials(pin, systemRandom);
}

/** Credentials in the right form, made of no PIN, which takes no time. */
export function madeUpCredentials(): ClusterCredentials {
  const text = (bytes = 32) => systemRandom.bytes(bytes).toString("base64url");
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    clusterId: newId("cluster", systemRandom),
    salt: systemRandom.bytes(32),
    epoch: 1,
    pinGeneration: 1,
    iterations: 600_000,
    pepper: new Secret(text()),
    opaque: { serverSetup: new Secret(text(128)), record: text(192) },
    pinHash: `$2y$12$${systemRandom.bytes(27).toString("hex").slice(0, 53)}`,
    memberToken: new Secret(text()),
    nodeKey: new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
  };
}
