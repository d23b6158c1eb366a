/** Byte strings one behind another, in a memory of their own: many small ones cost far more to hand to another thread. */
export interface PackedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each, in their order. */
  readonly lengths: readonly number[];
}

export function packBytes(values: readonly Uint8Array[]): PackedBytes {
  const lengths = values.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let end = 0;
  for (const value of values) {
    bytes.set(value, end);
    end += value.length;
  }
  return { bytes, lengths };
}

/** What was packed, as views of the memory it is in. */
export function unpackBytes({ bytes, lengths }: PackedBytes): Uint8Array[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
}
