import { createSecretKey, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import { open, type Place, type SealedValue, seal } from "./sealed-value.ts";

/** The key of one term, in the clear: 32 bytes. Whoever gets it zeroes it. */
export interface UnwrappedTerm {
  readonly term: number;
  readonly bytes: Buffer;
}

/** A fresh data key for `term`, from 1 upwards. */
export function newTerm(term: number, random: Random): UnwrappedTerm {
  return { term, bytes: random.bytes(AEAD_KEY_BYTES) };
}

/** The numbered data keys: seals with the highest term, opens with any. Immutable until it is disposed of. */
export class Keyring implements Disposable {
  readonly writeTerm: number;
  readonly #keys: Map<number, KeyObject>;

  /** Takes the terms over: their bytes are zero afterwards, the keys live on only as key objects, beside those of `older`. */
  constructor(terms: readonly UnwrappedTerm[], older: ReadonlyMap<number, KeyObject> = new Map()) {
    const added = terms.map(({ term, bytes }): [number, KeyObject] => [term, createSecretKey(bytes)]);
    this.#keys = new Map([...older, ...added]);
    if (this.#keys.size === 0) throw new Error("A keyring needs at least one term.");
    this.writeTerm = Math.max(...this.#keys.keys());
    for (const { bytes } of terms) bytes.fill(0);
  }

  /** Its keys by their terms, as they are now, for a keyring beside it or in another thread. */
  get keys(): ReadonlyMap<number, KeyObject> {
    return new Map(this.#keys);
  }

  /** How many terms it has. */
  get size(): number {
    return this.#keys.size;
  }

  /** Its terms in the clear, ascending, for the caller to zero. */
  unwrapped(): UnwrappedTerm[] {
    const terms = [...this.#keys].map(([term, key]) => ({ term, bytes: key.export() }));
    return terms.sort((one, other) => one.term - other.term);
  }

  /** One that has the write term alone; this one may go on too. */
  newest(): Keyring {
    return new Keyring([], new Map([...this.#keys].filter(([term]) => term === this.writeTerm)));
  }

  /** Seals under the write term with a random nonce of 96 bits. */
  seal(place: Place, plaintext: Uint8Array, random: Random): SealedValue {
    const key = this.#keys.get(this.writeTerm);
    if (key === undefined) throw new Error("The keyring was disposed of.");
    return seal(place, plaintext, { key, term: this.writeTerm, nonce: random.bytes(AEAD_NONCE_BYTES) });
  }

  /** Opens what any term sealed; SealedValueError otherwise. */
  open(place: Place, bytes: Uint8Array): Buffer {
    if (this.#keys.size === 0) throw new Error("The keyring was disposed of.");
    return open(place, bytes, (term) => this.#keys.get(term));
  }

  /** Drops every key object; their memory is cleared when the runtime frees it. Safe to repeat. */
  [Symbol.dispose](): void {
    this.#keys.clear();
  }
}
