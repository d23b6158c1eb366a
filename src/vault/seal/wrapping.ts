import type { KeyObject } from "node:crypto";
import { AEAD_NONCE_BYTES } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import type { UnwrappedTerm } from "./keyring.ts";
import { open, type Place, type SealedValue, seal } from "./sealed-value.ts";

export type SlotKind = "machine" | "passphrase" | "recovery";

/** Wrapped keys bear term 0, which no data key has: their place says which key opens them. */
const WRAPPING_TERM = 0;

/** The machine key's is the one of the first stores, which had no other. */
const ROOT_PLACES: Readonly<Record<SlotKind, Place>> = {
  machine: { table: "seal_root", column: "wrapped", key: "1" },
  passphrase: { table: "seal_slot", column: "wrapped", key: "passphrase" },
  recovery: { table: "seal_slot", column: "wrapped", key: "recovery" },
};

/** Where a recovery key's wrapping key is sealed, under a term like any secret. */
export const WRAPPING_KEY_PLACE: Place = { table: "seal_slot", column: "wrapping_key", key: "recovery" };

/** The root key for a slot, under the key of that slot. */
export function wrapRoot(
  slot: { kind: SlotKind; key: KeyObject },
  root: Uint8Array,
  random: Random,
): SealedValue {
  return wrap(ROOT_PLACES[slot.kind], root, slot.key, random);
}

/** The root key in the clear, for the caller to zero; SealedValueError when the slot's key does not fit. */
export function unwrapRoot(slot: { kind: SlotKind; key: KeyObject }, wrapped: Uint8Array): Buffer {
  return unwrap(ROOT_PLACES[slot.kind], wrapped, slot.key);
}

/** A term's key under the root key. */
export function wrapTerm(rootKey: KeyObject, { term, bytes }: UnwrappedTerm, random: Random): SealedValue {
  return wrap(placeOfTerm(term), bytes, rootKey, random);
}

/** A term's key in the clear, for the caller to zero; SealedValueError when the root key does not fit. */
export function unwrapTerm(rootKey: KeyObject, stored: { term: number; wrapped: Uint8Array }): UnwrappedTerm {
  return { term: stored.term, bytes: unwrap(placeOfTerm(stored.term), stored.wrapped, rootKey) };
}

/** All of them, for the caller to zero; SealedValueError when one does not open. */
export function unwrapTerms(
  rootKey: KeyObject,
  stored: readonly { readonly term: number; readonly wrapped: Uint8Array }[],
): UnwrappedTerm[] {
  const terms: UnwrappedTerm[] = [];
  try {
    for (const row of stored) terms.push(unwrapTerm(rootKey, row));
    return terms;
  } catch (error) {
    for (const { bytes } of terms) bytes.fill(0);
    throw error;
  }
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
