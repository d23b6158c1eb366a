import type { KeyObject } from "node:crypto";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import { AppError } from "#platform/lib/error.ts";

/** Where a sealed value lives; it opens nowhere else. `key` is the row's primary key as text. */
export interface Place {
  readonly table: string;
  readonly column: string;
  readonly key: string;
}

declare const sealedBrand: unique symbol;

/** Bytes laid out as docs/formats/sealed-value.md says; whether they open is another matter. */
export type SealedValue = Uint8Array & { readonly [sealedBrand]: true };

/** The one answer to a sealed value that does not open: damaged, moved, cut, or of an unknown term. */
export class SealedValueError extends AppError {
  constructor(place: Place) {
    super("internal", "A stored secret is damaged or was moved.", {
      detail: `the sealed value at ${place.table}.${place.column} of ${JSON.stringify(place.key)} is damaged or was moved`,
    });
    this.name = "SealedValueError";
  }
}

/** How a value of this term begins: version and term. */
export function startOfTerm(term: number): Buffer {
  const start = Buffer.alloc(NONCE_OFFSET);
  start.writeUInt8(VERSION);
  start.writeUInt32BE(term, TERM_OFFSET);
  return start;
}

const VERSION = 1;
const TERM_OFFSET = 1;
const NONCE_OFFSET = TERM_OFFSET + 4;
const CIPHERTEXT_OFFSET = NONCE_OFFSET + AEAD_NONCE_BYTES;
const SMALLEST = CIPHERTEXT_OFFSET + AEAD_TAG_BYTES;

/** Seals `plaintext` for `place`. `term` names the key among those of the keyring; the nonce must be fresh. */
export function seal(
  place: Place,
  plaintext: Uint8Array,
  using: { key: KeyObject; term: number; nonce: Uint8Array },
): SealedValue {
  const { key, term, nonce } = using;
  const sealed = Buffer.concat([
    startOfTerm(term),
    nonce,
    encrypt(key, nonce, plaintext, associatedData(term, place)),
  ]);
  if (!isSealedValue(sealed)) throw new Error("The sealed value is not laid out as its format says.");
  return sealed;
}

/** The plaintext sealed for `place`, or SealedValueError; `keyOfTerm` gives undefined for a term it has not. */
export function open(
  place: Place,
  bytes: Uint8Array,
  keyOfTerm: (term: number) => KeyObject | undefined,
): Buffer {
  if (!isSealedValue(bytes)) throw new SealedValueError(place);
  const term = termOf(bytes);
  const key = keyOfTerm(term);
  if (key === undefined) throw new SealedValueError(place);
  const nonce = bytes.subarray(NONCE_OFFSET, CIPHERTEXT_OFFSET);
  try {
    return decrypt(key, nonce, bytes.subarray(CIPHERTEXT_OFFSET), associatedData(term, place));
  } catch {
    throw new SealedValueError(place);
  }
}

/** The term that bytes say they are sealed under; undefined where they are not laid out as a sealed value. */
export function termNamedBy(bytes: Uint8Array): number | undefined {
  return isSealedValue(bytes) ? termOf(bytes) : undefined;
}

function isSealedValue(bytes: Uint8Array): bytes is SealedValue {
  return bytes.length >= SMALLEST && bytes[0] === VERSION;
}

function termOf(value: SealedValue): number {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(TERM_OFFSET);
}

/** Each name goes in behind its length: else table `ab` column `c` would read as table `a` column `bc`. */
function associatedData(term: number, place: Place): Buffer {
  return Buffer.concat([
    startOfTerm(term),
    ...[place.table, place.column, place.key].flatMap(lengthPrefixed),
  ]);
}

function lengthPrefixed(text: string): [Buffer, Buffer] {
  // A lone surrogate has no UTF-8 and would be replaced, so that two names became one.
  if (!text.isWellFormed()) throw new Error("The name of a place must be well-formed Unicode.");
  const utf8 = Buffer.from(text, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(utf8.length);
  return [length, utf8];
}
