import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { writeCredentials } from "#services/cluster/credential-files.ts";

/** Where the server of this data directory has its cluster's files. */
export function credentialsOf(dataDir: string): string {
  return join(dataDir, "etc", "credentials");
}

/** A member token of some PIN; working it out of one would take longer than all that is tried with it. */
export function newToken(): string {
  return systemRandom.bytes(32).toString("base64url");
}

/** Makes the server of this data directory a member of a cluster of this token. */
export function writeMember(dataDir: string, token: string): void {
  const text = (bytes: number) => systemRandom.bytes(bytes).toString("base64url");
  const { privateKey } = generateKeyPairSync("ed25519");
  mkdirSync(join(dataDir, "etc"), { recursive: true, mode: 0o700 });
  writeCredentials(credentialsOf(dataDir), {
    clusterId: newId("cluster", systemRandom),
    salt: systemRandom.bytes(32),
    epoch: 1,
    pinGeneration: 1,
    iterations: 600_000,
    pepper: new Secret(text(32)),
    opaque: { serverSetup: new Secret(text(128)), record: text(192) },
    pinHash: `$2b$12$${"a".repeat(53)}`,
    memberToken: new Secret(token),
    nodeKey: new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
  });
}

/** Puts another token in the place of a member's, as a new PIN does. */
export function replaceToken(dataDir: string, token: string): void {
  const draft = join(dataDir, "etc", "pin_derived_key.new");
  writeFileSync(draft, `${token}\n`, { mode: 0o400 });
  renameSync(draft, join(credentialsOf(dataDir), "pin_derived_key"));
}
