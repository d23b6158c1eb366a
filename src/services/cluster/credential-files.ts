import type { Secret } from "#platform/lib/secret.ts";
import { CREDENTIAL_FILES, CredentialProblem, NOTHING, readCredentialSet } from "./credential-set.ts";
import {
  type ClusterFile,
  credentialTexts,
  optional,
  parseClusterFile,
  parseCredentialTexts,
  parseNodeKey,
  parsePinHash,
} from "./credential-texts.ts";
import { type DiskSteps, writeCredentialSet } from "./write-credential-set.ts";

/** What makes this server a member of its cluster. */
export interface ClusterCredentials {
  readonly clusterId: string;
  /** 32 bytes. */
  readonly salt: Buffer;
  /** From 1, one more with each new salt. */
  readonly epoch: number;
  /** From 1, one more each time that a PIN is set on a member: of two members with unlike tokens the lesser one is behind. */
  readonly pinGeneration: number;
  /** Rounds of PBKDF2. */
  readonly iterations: number;
  /** 32 bytes, base64url. */
  readonly pepper: Secret;
  /** The library's texts, made with the PIN. */
  readonly opaque: { readonly serverSetup: Secret; readonly record: string };
  /** bcrypt. */
  readonly pinHash: string;
  /** 43 characters of base64url. */
  readonly memberToken: Secret;
  /** Ed25519, PKCS#8 in PEM; this node's own. */
  readonly nodeKey: Secret;
}

/** What a directory of credentials says: nothing there, all there, or why it is not used and what repairs it. */
export type StoredCredentials =
  | { readonly status: "none" }
  | { readonly status: "closed"; readonly reason: string; readonly repair: string }
  | { readonly status: "member"; readonly credentials: ClusterCredentials };

/** Undefined is what is not there, or damaged. */
export interface KeptCredentials {
  readonly clusterId: string | undefined;
  readonly nodeKey: Secret | undefined;
}

/**
 * Reads `credentials/`. Anything but all files whole, private and of `owner` (this process's user unless given) is
 * closed, never half a member; it neither waits nor throws.
 */
export function readCredentials(directory: string, owner = process.getuid?.() ?? 0): StoredCredentials {
  try {
    const set = readCredentialSet(directory, owner);
    if (set === undefined || CREDENTIAL_FILES.every((file) => set[file] === undefined))
      return { status: "none" };
    return { status: "member", credentials: parseCredentialTexts(directory, set) };
  } catch (error) {
    if (!(error instanceof CredentialProblem)) throw error;
    return { status: "closed", reason: error.message, repair: error.repair };
  }
}

/** What is left of damaged credentials that a new PIN makes whole again. Throws CredentialProblem without `cluster.json`. */
export function readRemains(
  directory: string,
  owner: number,
): ClusterFile & { readonly pinHash: string | undefined; readonly nodeKey: Secret | undefined } {
  const set = readCredentialSet(directory, owner) ?? NOTHING;
  return {
    ...parseClusterFile(directory, set),
    pinHash: optional(() => parsePinHash(directory, set)),
    nodeKey: optional(() => parseNodeKey(directory, set)),
  };
}

/** What a join over these files keeps of them, whatever else of them is damaged. Throws CredentialProblem where they cannot be read. */
export function readKept(directory: string, owner = process.getuid?.() ?? 0): KeptCredentials {
  const set = readCredentialSet(directory, owner) ?? NOTHING;
  return {
    clusterId: optional(() => parseClusterFile(directory, set).clusterId),
    nodeKey: optional(() => parseNodeKey(directory, set)),
  };
}

/** Writes them all or none, over those before; system errors are thrown. */
export function writeCredentials(directory: string, credentials: ClusterCredentials, disk?: DiskSteps): void {
  writeCredentialSet(directory, credentialTexts(credentials), disk);
}
