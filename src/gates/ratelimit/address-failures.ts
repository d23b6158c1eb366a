import { sha256 } from "#platform/lib/hmac.ts";
import { parseIp, unmapIp } from "#platform/lib/ip-address.ts";
import { type AddressMemory, PLACE_CELLS, SET_CELLS, SETS, WAYS } from "./address-memory.ts";
import { draw, holdsOne, levelOf, refill } from "./bucket.ts";
import { SpinLocks } from "./spin-lock.ts";

/** How many credentials an address may get wrong, at once or a minute. */
const FAILURES_PER_MINUTE = 60;
/** A household or a machine has a whole network of this many bytes of IPv6. */
const NETWORK_BYTES = 8;
/** So many bytes of a digest are an exact number. */
const TAG_BYTES = 6;
/** Of a place: where its bucket is, and the time in it, which is that of the last failure. */
const BUCKET = 1;
const LAST = 2;

/**
 * Counts failures of authentication by address, of IPv4 by each, of IPv6 by each /64, for all threads that share the
 * memory. An address has its place in one set of 16; where that is full, the one that failed longest ago is forgotten.
 */
export class AddressFailures {
  readonly #seed: Uint8Array;
  readonly #cells: Float64Array;
  readonly #locks: SpinLocks;

  /** `thread` as for the principals' limiter. */
  constructor({ memory, thread }: { memory: AddressMemory; thread: number }) {
    this.#seed = memory.seed;
    this.#cells = new Float64Array(memory.buffer);
    this.#locks = new SpinLocks(new Int32Array(memory.buffer), thread);
  }

  /**
   * A credential from this address was wrong, at `nowMs`. Gives undefined while the address may get some wrong, else
   * the whole seconds until it may again.
   */
  failed(address: string, nowMs: number): number | undefined {
    return this.#look(address, nowMs, true);
  }

  /** What `failed` would give, with nothing counted: whether work for a credential from this address is worth beginning. */
  waitS(address: string, nowMs: number): number | undefined {
    return this.#look(address, nowMs, false);
  }

  #look(address: string, nowMs: number, counts: boolean): number | undefined {
    const digest = sha256(Buffer.concat([this.#seed, networkOf(address)]));
    const set = (digest.readUInt32LE(TAG_BYTES) % SETS) * SET_CELLS;
    const tag = digest.readUIntLE(0, TAG_BYTES) + 1;
    this.#locks.acquire(set * 2);
    const at = this.#placeOf(set + 1, tag) + BUCKET;
    const lacks = refill(this.#cells, at, FAILURES_PER_MINUTE, nowMs);
    const isWithin = holdsOne(FAILURES_PER_MINUTE, lacks);
    if (isWithin && counts) draw(this.#cells, at, 1);
    this.#locks.release(set * 2);
    return isWithin ? undefined : Math.ceil(levelOf(FAILURES_PER_MINUTE, lacks).waitMs / 1000);
  }

  /** For the main thread, when another is no more: frees what that one had locked. */
  forget(thread: number): void {
    for (let set = 0; set < SETS; set++) this.#locks.forget(set * SET_CELLS * 2, thread);
  }

  /** The place of this tag among those from `first` on: its own, or else one that is free or longest unused, emptied. */
  #placeOf(first: number, tag: number): number {
    const cells = this.#cells;
    let oldest = first;
    for (let way = 0; way < WAYS; way++) {
      const at = first + way * PLACE_CELLS;
      if (cells[at] === tag) return at;
      if (age(cells, at) < age(cells, oldest)) oldest = at;
    }
    cells.fill(0, oldest, oldest + PLACE_CELLS);
    cells[oldest] = tag;
    return oldest;
  }
}

/** By which places are told apart: a free one is older than any. */
function age(cells: Float64Array, at: number): number {
  return cells[at] === 0 ? -1 : (cells[at + LAST] ?? 0);
}

function networkOf(address: string): Buffer {
  const read = parseIp(address);
  if (read === undefined) return Buffer.from(address);
  const bytes = unmapIp(read);
  return Buffer.from(bytes.slice(0, bytes.length === 4 ? 4 : NETWORK_BYTES));
}
