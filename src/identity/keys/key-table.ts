import { type KeyMemory, RECORD_WORDS } from "./key-memory.ts";

/** Words of a record: 8 of the digest, 3 of the public id's 12 characters, then these. */
export const DIGEST_WORDS = 8;
const GRANT = 11;
const STATE = 12;
const USED_AT = 13;
const WRITTEN_AT = 14;
/** Whole seconds since the Unix epoch, 0 for never; the milliseconds beyond stand with the state. */
const EXPIRES_AT = 15;
/** In the record that is nobody's: how many slots are filled. */
const SIZE = 15;

/** The two lowest bits of the state; above them are the milliseconds of the expiry. */
const STATUS = 3;
const LIVE = 1;
const REVOKED = 2;

export interface NewRecord {
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** 12 characters of base62. */
  readonly publicId: string;
  readonly grant: number;
  readonly revoked: boolean;
  /** When the key was last used, as the store has it; whole seconds since the Unix epoch, 0 for never. */
  readonly usedAtS: number;
  /** Milliseconds since the Unix epoch, below 2^32 seconds; undefined for never. */
  readonly expiresAtMs?: number | undefined;
}

/** What a key can be given anew. */
export type KeyTerms = Pick<NewRecord, "grant" | "expiresAtMs">;

/** All keys, as any thread sees them: a view of memory that threads share. What is written holds for all at once. */
export class KeyTable {
  readonly capacity: number;
  readonly #index: Uint32Array;
  readonly #records: Uint32Array;
  readonly #touched: Uint32Array;
  /** What is looked for, as words. */
  readonly #wanted = new Uint32Array(DIGEST_WORDS);
  readonly #wantedBytes = new Uint8Array(this.#wanted.buffer);

  constructor(memory: KeyMemory) {
    this.capacity = memory.capacity;
    this.#index = new Uint32Array(memory.index);
    this.#records = new Uint32Array(memory.records);
    this.#touched = new Uint32Array(memory.touched);
  }

  /** The slot of the key with this digest (32 bytes). Digests are compared whole, equal or not. */
  find(digest: Uint8Array): number | undefined {
    this.#wantedBytes.set(digest);
    for (let at = this.#home(); ; at = this.#after(at)) {
      const entry = Atomics.load(this.#index, at);
      // With nothing there any other is compared, so that nobody's key takes as long as somebody's. Without a branch,
      // for the processor would guess the way and fetch that record before it has the entry.
      const nothing = ((entry | -entry) >>> 31) - 1;
      const equal = this.#isWanted(((entry - 1) & ~nothing) | (this.#any() & nothing));
      if (entry === 0) return undefined;
      if (equal) return entry - 1;
    }
  }

  /** Whether the slot holds a key that is not revoked. */
  isLive(slot: number): boolean {
    if (slot >= this.capacity) return false;
    return (Atomics.load(this.#records, slot * RECORD_WORDS + STATE) & STATUS) === LIVE;
  }

  /** When the key in the slot ends, in milliseconds since the Unix epoch; Infinity for never. */
  expiresAtMs(slot: number): number {
    const start = slot * RECORD_WORDS;
    const seconds = Atomics.load(this.#records, start + EXPIRES_AT);
    return seconds === 0 ? Infinity : seconds * 1000 + (Atomics.load(this.#records, start + STATE) >>> 2);
  }

  /** The number of the key's grant, also of a revoked one's; undefined for a slot without a key. */
  grantOf(slot: number): number | undefined {
    const start = slot * RECORD_WORDS;
    if (slot >= this.capacity || Atomics.load(this.#records, start + STATE) === 0) return undefined;
    return Atomics.load(this.#records, start + GRANT);
  }

  /** The three words of the public id. */
  idWord(slot: number, which: 0 | 1 | 2): number {
    return this.#records[slot * RECORD_WORDS + DIGEST_WORDS + which] ?? 0;
  }

  /** Notes a use at this second, best only when the second is another, for each write is paid by all threads. */
  use(slot: number, nowS: number): void {
    Atomics.store(this.#records, slot * RECORD_WORDS + USED_AT, nowS);
    this.touch(slot);
  }

  /** Seconds since the Unix epoch, 0 for never. */
  usedAtS(slot: number): number {
    return Atomics.load(this.#records, slot * RECORD_WORDS + USED_AT);
  }

  /** Marks the slot as used since its last use was written. */
  touch(slot: number): void {
    Atomics.or(this.#touched, slot >>> 5, 1 << (slot & 31));
  }

  /**
   * The slots from `from` up to, not including, `to` (both multiples of 32) that were touched and whose last use was
   * written at `writtenBeforeS` or earlier. They count as untouched from then on.
   */
  takeTouched(from: number, to: number, writtenBeforeS: number): number[] {
    const taken: number[] = [];
    for (let word = from >>> 5; word < to >>> 5; word++) {
      let bits = Atomics.load(this.#touched, word);
      for (; bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        const slot = word * 32 + bit;
        if ((this.#records[slot * RECORD_WORDS + WRITTEN_AT] ?? 0) > writtenBeforeS) continue;
        Atomics.and(this.#touched, word, ~(1 << bit));
        taken.push(slot);
      }
    }
    return taken;
  }

  /** The last use of the slot is in the store, written at this second. For the writing thread alone. */
  noteWritten(slot: number, atS: number): void {
    this.#records[slot * RECORD_WORDS + WRITTEN_AT] = atS;
  }

  /** Fills a slot that is free and lets every thread find it. For the writing thread alone. */
  fill(slot: number, key: NewRecord): void {
    this.#wantedBytes.set(key.digest);
    const start = slot * RECORD_WORDS;
    this.#records.set(this.#wanted, start);
    const id = Buffer.from(key.publicId, "latin1");
    for (let word = 0; word < 3; word++)
      this.#records[start + DIGEST_WORDS + word] = id.readUInt32LE(word * 4);
    this.#setTerms(start, key, key.revoked ? REVOKED : LIVE);
    this.#records[start + USED_AT] = key.usedAtS;
    this.#records[start + WRITTEN_AT] = key.usedAtS;
    let at = this.#home();
    while (Atomics.load(this.#index, at) !== 0) at = this.#after(at);
    // Last of all: whoever finds the slot finds its record whole.
    Atomics.store(this.#index, at, slot + 1);
    this.#records[this.capacity * RECORD_WORDS + SIZE] = slot + 1;
  }

  /** From now on no thread lets the key in. False when it was revoked already. For the writing thread alone. */
  revoke(slot: number): boolean {
    return (Atomics.exchange(this.#records, slot * RECORD_WORDS + STATE, REVOKED) & STATUS) === LIVE;
  }

  /** From now on every thread holds the key in this slot to these terms; not a revoked one. For the writing thread. */
  setTerms(slot: number, terms: KeyTerms): void {
    if (this.isLive(slot)) this.#setTerms(slot * RECORD_WORDS, terms, LIVE);
  }

  #setTerms(start: number, { grant, expiresAtMs = 0 }: KeyTerms, status: number): void {
    Atomics.store(this.#records, start + GRANT, grant);
    Atomics.store(this.#records, start + EXPIRES_AT, Math.floor(expiresAtMs / 1000));
    Atomics.store(this.#records, start + STATE, status | ((expiresAtMs % 1000) << 2));
  }

  #home(): number {
    return (this.#wanted[0] ?? 0) & (this.#index.length - 1);
  }

  #after(at: number): number {
    return (at + 1) & (this.#index.length - 1);
  }

  /** A slot that the digest chooses, so that its record is no quicker to fetch than that of a key not seen lately. */
  #any(): number {
    const size = this.#records[this.capacity * RECORD_WORDS + SIZE] ?? 0;
    return size === 0 ? this.capacity : (this.#wanted[1] ?? 0) % size;
  }

  /** In constant time: every word is looked at. */
  #isWanted(slot: number): boolean {
    const start = slot * RECORD_WORDS;
    let difference = 0;
    for (let word = 0; word < DIGEST_WORDS; word++)
      difference |= (this.#records[start + word] ?? 0) ^ (this.#wanted[word] ?? 0);
    return difference === 0;
  }
}
