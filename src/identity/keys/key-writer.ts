import { AppError } from "#platform/lib/error.ts";
import { indexLength, type KeyMemory } from "./key-memory.ts";
import { DIGEST_WORDS, KeyTable, type NewRecord } from "./key-table.ts";

const PUBLIC_ID = /^[0-9A-Za-z]{12}$/;

/** Adds and revokes keys, in one thread alone, which also finds them by their ids. Keys are never removed. */
export class KeyWriter {
  readonly table: KeyTable;
  /** As the table's index, by the public id. */
  readonly #byId: Uint32Array;
  #size = 0;
  #reserved = 0;

  /** `memory` must be new. */
  constructor(memory: KeyMemory) {
    this.table = new KeyTable(memory);
    this.#byId = new Uint32Array(indexLength(memory.capacity));
  }

  /** How many slots are filled: those below it. */
  get size(): number {
    return this.#size;
  }

  /** Holds a slot free until it is disposed of; `add` does not look. Throws AppError `keys_full` when there is none. */
  reserve(): Disposable {
    if (this.#size + this.#reserved >= this.table.capacity)
      throw new AppError(
        "keys_full",
        `This server holds ${this.#size.toLocaleString("en")} keys, the revoked among them, and has no room for ` +
          "another. Start it again: it then makes room for twice as many. No key was lost.",
      );
    this.#reserved++;
    return { [Symbol.dispose]: () => this.#reserved-- };
  }

  /** The new key's slot. Throws AppError `internal` for what is no record of a key. */
  add(key: NewRecord): number {
    if (!PUBLIC_ID.test(key.publicId) || key.digest.length !== DIGEST_WORDS * 4)
      throw new AppError("internal", undefined, { detail: `the stored key ${key.publicId} is damaged` });
    const slot = this.#size++;
    this.table.fill(slot, key);
    const words = wordsOf(key.publicId);
    let at = this.#home(words);
    while (this.#byId[at] !== 0) at = this.#after(at);
    this.#byId[at] = slot + 1;
    return slot;
  }

  /** The slot of the key with this public id. */
  slotOf(publicId: string): number | undefined {
    if (!PUBLIC_ID.test(publicId)) return undefined;
    const words = wordsOf(publicId);
    for (let at = this.#home(words); ; at = this.#after(at)) {
      const entry = this.#byId[at] ?? 0;
      if (entry === 0) return undefined;
      if (words.every((word, which) => word === this.#words(entry - 1)[which])) return entry - 1;
    }
  }

  /** The public id of the key in a slot. */
  publicIdOf(slot: number): string {
    const bytes = Buffer.alloc(12);
    for (const [which, word] of this.#words(slot).entries()) bytes.writeUInt32LE(word, which * 4);
    return bytes.toString("latin1");
  }

  #words(slot: number): readonly number[] {
    const { table } = this;
    return [table.idWord(slot, 0), table.idWord(slot, 1), table.idWord(slot, 2)];
  }

  /** Ids are random, but digits and letters have few bits: all are mixed. */
  #home(words: readonly number[]): number {
    const mixed = words.reduce((sum, word) => Math.imul(sum ^ word ^ (sum >>> 15), 0x9e3779b1), 0);
    return (mixed ^ (mixed >>> 15)) & (this.#byId.length - 1);
  }

  #after(at: number): number {
    return (at + 1) & (this.#byId.length - 1);
  }
}

function wordsOf(publicId: string): readonly number[] {
  const bytes = Buffer.from(publicId, "latin1");
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
}
