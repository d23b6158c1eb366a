/** Slots that are there whatever the store holds; pages that nothing was written to cost no memory. */
const FEWEST_KEYS = 2_000_000;
/** What the grants of as many keys may take when each is another one: names of sets and limits, as JSON. */
const GRANT_BYTES_PER_KEY = 256;
const GRANT_BYTES_AT_FIRST = 64 * 1024;

/** 32-bit words of a record: one line of a processor's cache, so that a look-up fetches one. */
export const RECORD_WORDS = 16;
/** 32-bit words of an IP address; that of an IPv4 one is written as IPv6 (RFC 4291, 2.5.5.2). */
export const ADDRESS_WORDS = 4;

/**
 * The keys of one process, as all its threads share them; it can be handed to a thread as it is. One thread alone
 * writes keys into it. Words are in the processor's order, for nothing of this ever leaves the process.
 */
export interface KeyMemory {
  /** How many keys it takes, the revoked among them. It never grows, so no look-up ever waits for that. */
  readonly capacity: number;
  /** An open-addressing table by the first word of the digest: 0, or a slot + 1. At most half of it is used. */
  readonly index: SharedArrayBuffer;
  /** One record a slot, and one more that is nobody's. */
  readonly records: SharedArrayBuffer;
  /** One bit a slot: used since its last use was written to the store. */
  readonly touched: SharedArrayBuffer;
  /** The address of its last use, for each slot. */
  readonly addresses: SharedArrayBuffer;
  /** What keys are allowed and limited to; grows. */
  readonly grants: SharedArrayBuffer;
}

/** Memory for twice the `stored` keys, and for `fewest` at least. */
export function createKeyMemory(stored: number, fewest = FEWEST_KEYS): KeyMemory {
  const capacity = Math.max(fewest, stored * 2);
  const words = (count: number) => new SharedArrayBuffer(count * Uint32Array.BYTES_PER_ELEMENT);
  const maxByteLength = GRANT_BYTES_AT_FIRST + capacity * GRANT_BYTES_PER_KEY;
  return {
    capacity,
    index: words(indexLength(capacity)),
    records: words((capacity + 1) * RECORD_WORDS),
    touched: words(Math.ceil(capacity / 32)),
    addresses: words(capacity * ADDRESS_WORDS),
    grants: new SharedArrayBuffer(GRANT_BYTES_AT_FIRST, { maxByteLength }),
  };
}

/** The power of two with which a table for `capacity` slots is never more than half full. */
export function indexLength(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}
