import type { Random } from "#platform/lib/random.ts";
import { BUCKET_CELLS } from "./bucket.ts";

/** Memory of failures by address, shared by all threads; can be sent to another. */
export interface AddressMemory {
  readonly buffer: SharedArrayBuffer;
  /** Of this process alone, so that nobody can choose addresses that share a place. */
  readonly seed: Uint8Array;
}

/** 65,536 places in all: 10,000 addresses never meet so often that one of them must be forgotten. */
export const SETS = 4096;
export const WAYS = 16;

/** Of a place: the tag of whose it is, 0 for nobody's, and its bucket. */
export const PLACE_CELLS = 1 + BUCKET_CELLS;
/** Of a set: its lock, and its places. */
export const SET_CELLS = 1 + WAYS * PLACE_CELLS;
const CELL_BYTES = 8;
const SEED_BYTES = 32;

/** About 1.6 MB, of which the system provides only what is used. */
export function createAddressMemory(random: Random): AddressMemory {
  const buffer = new SharedArrayBuffer(SETS * SET_CELLS * CELL_BYTES);
  return { buffer, seed: random.bytes(SEED_BYTES) };
}
