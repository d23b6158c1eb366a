import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { Secret } from "#platform/lib/secret.ts";
import type { ClusterCredentials } from "./credential-files.ts";
import {
  type CredentialFile,
  CredentialProblem,
  type CredentialSet,
  restoreWords,
} from "./credential-set.ts";

/** With the same PIN it makes the same token. Which server is meant is for who shows the line to add. */
const RESET_LINE = "claviger reset-pin";

const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const clusterFile = z.strictObject({
  version: z.literal(1),
  cluster_id: z.string().regex(/^cluster_[A-Za-z0-9]{16}$/),
  salt: base64url32,
  epoch: z.int().min(1),
  pin_generation: z.int().min(1),
  iterations: z.int().min(600_000).max(100_000_000),
  pepper: base64url32,
  opaque: z.strictObject({ server_setup: z.string().min(1), record: z.string().min(1) }),
});
/** What the cluster has in common, which no other file can replace. */
export type ClusterFile = Pick<
  ClusterCredentials,
  "clusterId" | "salt" | "epoch" | "pinGeneration" | "iterations" | "pepper" | "opaque"
>;

/** What stands in the files of these credentials. */
export function credentialTexts(credentials: ClusterCredentials): Readonly<Record<CredentialFile, string>> {
  const { opaque } = credentials;
  const cluster: z.input<typeof clusterFile> = {
    version: 1,
    cluster_id: credentials.clusterId,
    salt: credentials.salt.toString("base64url"),
    epoch: credentials.epoch,
    pin_generation: credentials.pinGeneration,
    iterations: credentials.iterations,
    pepper: credentials.pepper.expose(),
    opaque: { server_setup: opaque.serverSetup.expose(), record: opaque.record },
  };
  return {
    "node.key": credentials.nodeKey.expose(),
    pin_derived_key: `${credentials.memberToken.expose()}\n`,
    pin_hash: `${credentials.pinHash}\n`,
    "cluster.json": `${JSON.stringify(cluster)}\n`,
  };
}

/** What the texts of the files say. Throws CredentialProblem, which names them as files of `directory`. */
export function parseCredentialTexts(directory: string, set: CredentialSet): ClusterCredentials {
  return {
    ...parseClusterFile(directory, set),
    pinHash: parsePinHash(directory, set),
    memberToken: new Secret(textOf(directory, set, "pin_derived_key", /^[A-Za-z0-9_-]{43}$/)),
    nodeKey: parseNodeKey(directory, set),
  };
}

/** What `cluster.json` says. Throws CredentialProblem. */
export function parseClusterFile(directory: string, set: CredentialSet): ClusterFile {
  const path = join(directory, "cluster.json");
  const text = set["cluster.json"];
  if (text === undefined) throw new CredentialProblem(`${path} is missing`, restoreWords(path));
  const parsed = clusterFile.safeParse(parseJson(text));
  if (!parsed.success)
    throw new CredentialProblem(`${path} is not what a cluster writes there`, restoreWords(path));
  const {
    cluster_id: clusterId,
    pin_generation: pinGeneration,
    salt,
    pepper,
    opaque,
    epoch,
    iterations,
  } = parsed.data;
  return {
    clusterId,
    salt: Buffer.from(salt, "base64url"),
    epoch,
    pinGeneration,
    iterations,
    pepper: new Secret(pepper),
    opaque: { serverSetup: new Secret(opaque.server_setup), record: opaque.record },
  };
}

/** The bcrypt hash. Throws CredentialProblem. */
export function parsePinHash(directory: string, set: CredentialSet): string {
  return textOf(directory, set, "pin_hash", /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/);
}

/** The Ed25519 key in PEM. Throws CredentialProblem. */
export function parseNodeKey(directory: string, set: CredentialSet): Secret {
  const pem = textOf(
    directory,
    set,
    "node.key",
    /^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----$/,
  );
  const type = optional(() => createPrivateKey(pem).asymmetricKeyType);
  if (type !== "ed25519") throw malformed(directory, "node.key");
  return new Secret(`${pem}\n`);
}

/** A file's text without the newline at its end. */
function textOf(directory: string, set: CredentialSet, file: CredentialFile, form: RegExp): string {
  const text = set[file];
  if (text === undefined) throw new CredentialProblem(`${join(directory, file)} is missing`, RESET_LINE);
  const trimmed = text.replace(/\n$/, "");
  if (!form.test(trimmed)) throw malformed(directory, file);
  return trimmed;
}

function malformed(directory: string, file: CredentialFile): CredentialProblem {
  return new CredentialProblem(`${join(directory, file)} is damaged`, RESET_LINE);
}

function parseJson(text: string): unknown {
  return optional((): unknown => JSON.parse(text));
}

/** Undefined where `read` throws. */
export function optional<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
