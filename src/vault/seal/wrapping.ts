import type { KeyObject } from "node:crypto";
import { AEAD_NONCE_BYTES } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import type { UnwrappedTerm } from "./keyring.ts";
import { open, type Place, type SealedValue, seal } from "./sealed-value.ts";
import { ROOT_ID } from "./store.ts";

/** Wrapped keys bear term 0, which no data key has: their place says which key opens them. */
const WRAPPING_TERM = 0;

const ROOT_PLACE: Place = { table: "seal_root", column: "wrapped", key: String(ROOT_ID) };

/** The root key under the machine key. */
export function wrapRoot(machineKey: KeyObject, root: Uint8Array, random: Random): SealedValue {
  return wrap(ROOT_PLACE, root, machineKey, random);
}

/** The root key in the clear, for the caller to zero; SealedValueError when the machine key does not fit. */
export function unwrapRoot(machineKey: KeyObject, wrapped: Uint8Array): Buffer {
  return unwrap(ROOT_PLACE, wrapped, machineKey);
}

/** A term's key under the root key. */
export function wrapTerm(rootKey: KeyObject, { term, bytes }: UnwrappedTerm, random: Random): SealedValue {
  return wrap(placeOfTerm(term), bytes, rootKey, random);
}

/** A term's key in the clear, for the caller to zero; SealedValueError when the root key does not fit. */
export function unwrapTerm(rootKey: KeyObject, stored: { term: number; wrapped: Uint8Array }): UnwrappedTerm {
  return { term: stored.term, bytes: unwrap(placeOfTerm(stored.term), stored.wrapped, rootKey) };
}

function placeOfTerm(term: number): Place {
  return { table: "seal_term", column: "wrapped", key: String(term) };
}

function wrap(place: Place, bytes: Uint8Array, key: KeyObject, random: Random): SealedValue {
  return seal(place, bytes, { key, term: WRAPPING_TERM, nonce: random.bytes(AEAD_NONCE_BYTES) });
}

function unwrap(place: Place, wrapped: Uint8Array, key: KeyObject): Buffer {
  return open(place, wrapped, (term) => (term === WRAPPING_TERM ? key : undefined));
}
