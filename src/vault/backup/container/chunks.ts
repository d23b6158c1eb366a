import type { KeyObject } from "node:crypto";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import { damaged } from "./problem.ts";

/** Bytes of plaintext in every chunk but the last, which has fewer or as many. */
export const CHUNK_BYTES = 64 * 1024;

const NO_DATA = Buffer.alloc(0);
const LAST = 1;

/**
 * Seals a stream in chunks, each with its number and whether it is the last as its nonce: the STREAM construction of
 * Hoang, Reyhanitabar, Rogaway and Vizár (2015), with the nonce as age lays it out. `key` must be of this stream alone.
 */
export async function* sealChunks(
  key: KeyObject,
  plaintext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  let number = 0n;
  for await (const { bytes, last } of inPieces(plaintext, CHUNK_BYTES))
    yield encrypt(key, nonceOf(number++, last), bytes, NO_DATA);
}

/** What `sealChunks` was given, chunk by chunk. Throws BackupProblem when a chunk was changed, moved, added or cut off. */
export async function* openChunks(key: KeyObject, sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let number = 0n;
  for await (const { bytes, last } of inPieces(sealed, CHUNK_BYTES + AEAD_TAG_BYTES)) {
    // Only a stream without any byte has an empty chunk: one more at the end would be a second way to write the same.
    if (number > 0n && bytes.length <= AEAD_TAG_BYTES) throw damaged(`chunk ${number}`);
    yield openChunk(key, bytes, { number, last });
    number += 1n;
  }
}

function openChunk(key: KeyObject, bytes: Uint8Array, at: { number: bigint; last: boolean }): Buffer {
  try {
    return decrypt(key, nonceOf(at.number, at.last), bytes, NO_DATA);
  } catch (cause) {
    throw damaged(`chunk ${at.number}`, cause);
  }
}

function nonceOf(number: bigint, last: boolean): Buffer {
  const nonce = Buffer.alloc(AEAD_NONCE_BYTES);
  nonce.writeBigUInt64BE(number, AEAD_NONCE_BYTES - 1 - 8);
  if (last) nonce.writeUInt8(LAST, AEAD_NONCE_BYTES - 1);
  return nonce;
}

/** The same bytes in pieces of `size`, the last of fewer or as many; a stream without bytes is one empty piece. */
async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Uint8Array; last: boolean }> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    held.push(part);
    length += part.length;
    if (length <= size) continue;
    const all = Buffer.concat(held);
    let from = 0;
    for (; all.length - from > size; from += size)
      yield { bytes: all.subarray(from, from + size), last: false };
    held = [all.subarray(from)];
    length = all.length - from;
  }
  yield { bytes: Buffer.concat(held), last: true };
}
