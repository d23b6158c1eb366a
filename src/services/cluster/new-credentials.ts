import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { ClusterCredentials } from "./credential-files.ts";
import { deriveMemberToken, hashPin, TOKEN_ITERATIONS } from "./member-token.ts";
import { registerPin } from "./opaque.ts";

const SALT_BYTES = 32;
const PEPPER_BYTES = 32;

/** What all members of a cluster have in common, but for what the PIN gives. */
export type SharedCredentials = Pick<
  ClusterCredentials,
  "clusterId" | "salt" | "epoch" | "pinGeneration" | "iterations" | "opaque" | "pepper"
>;

/** The credentials of a new cluster's first member. */
export async function newCredentials(pin: Secret, random: Random): Promise<ClusterCredentials> {
  const clusterId = newId("cluster", random);
  return withPin(pin, {
    clusterId,
    salt: random.bytes(SALT_BYTES),
    epoch: 1,
    pinGeneration: 1,
    iterations: TOKEN_ITERATIONS,
    pepper: newPepper(random),
    opaque: await registerPin(pin, clusterId),
    nodeKey: newNodeKey(),
  });
}

/** The credentials of one that joins: the members' token, and the node key that it told the member of. */
export function joinedCredentials(
  pin: Secret,
  shared: SharedCredentials,
  nodeKey: Secret,
): Promise<ClusterCredentials> {
  return withPin(pin, { ...shared, nodeKey });
}

/**
 * The same cluster's with another PIN. Salt and cluster stay, so that every member where the same PIN is typed comes to
 * the same token; `newSalt` makes another salt and pepper, of the next epoch.
 */
export async function credentialsOfNewPin(
  pin: Secret,
  known: Omit<ClusterCredentials, "pinHash" | "memberToken" | "nodeKey"> & {
    readonly nodeKey?: Secret | undefined;
  },
  { random, newSalt }: { readonly random: Random; readonly newSalt: boolean },
): Promise<ClusterCredentials> {
  const fresh = newSalt
    ? { salt: random.bytes(SALT_BYTES), pepper: newPepper(random), epoch: known.epoch + 1 }
    : {};
  const { clusterId, nodeKey = newNodeKey() } = known;
  const pinGeneration = known.pinGeneration + 1;
  const opaque = await registerPin(pin, clusterId);
  return withPin(pin, { ...known, ...fresh, pinGeneration, opaque, nodeKey });
}

async function withPin(
  pin: Secret,
  rest: Omit<ClusterCredentials, "pinHash" | "memberToken">,
): Promise<ClusterCredentials> {
  const [memberToken, pinHash] = await Promise.all([deriveMemberToken(pin, rest), hashPin(pin, rest.pepper)]);
  return { ...rest, memberToken, pinHash };
}

function newPepper(random: Random): Secret {
  return new Secret(random.bytes(PEPPER_BYTES).toString("base64url"));
}

/** Ed25519 (RFC 8032), PKCS#8 in PEM. */
export function newNodeKey(): Secret {
  const { privateKey } = generateKeyPairSync("ed25519");
  return new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}

/** The public half of a node key: SPKI, DER, base64url. */
export function publicNodeKey(nodeKey: Secret): string {
  return createPublicKey(nodeKey.expose()).export({ format: "der", type: "spki" }).toString("base64url");
}
