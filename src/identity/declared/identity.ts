import type { KeyLimits } from "#gates/ratelimit/index.ts";

/** An Identity of the configuration file, checked. */
export interface DeclaredIdentity {
  /** Its name in the file, by which listeners name it. */
  readonly name: string;
  /** What stands for it in audit and usage: the name in the file unless that gives it another. */
  readonly id: string;
  /** The public hash of its key, as `parsePublicHash` reads it. */
  readonly hash: string;
  readonly permissionSets: readonly string[];
  readonly limits: Readonly<KeyLimits>;
  /** Milliseconds since the Unix epoch; undefined for one that does not expire. */
  readonly expiresAt: number | undefined;
  /** Addresses and CIDR ranges it may come from; empty for any. */
  readonly allowedIps: readonly string[];
}

/** An identity as all threads know it: plain data, and its place in memory that they share. */
export interface IdentityRecord extends DeclaredIdentity {
  /** Beyond the slots of the issued keys; the same for as long as the process runs, also when the file drops it for a while. */
  readonly slot: number;
}

/** What threads share of the identities; can be handed to one as it is. */
export interface IdentityMemory {
  /** The slot of the first. */
  readonly firstSlot: number;
  /** How many different ones a process can have had. */
  readonly capacity: number;
  /** A 32-bit word each: when it was last used, in seconds since the Unix epoch; 0 for not since the start. */
  readonly usedAt: SharedArrayBuffer;
}

const MOST_IDENTITIES = 10_000;

/** `firstSlot` is the number of slots the issued keys have. */
export function createIdentityMemory(firstSlot: number, capacity = MOST_IDENTITIES): IdentityMemory {
  const usedAt = new SharedArrayBuffer(capacity * Uint32Array.BYTES_PER_ELEMENT);
  return { firstSlot, capacity, usedAt };
}
