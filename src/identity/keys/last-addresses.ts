import { addressWords } from "#platform/lib/address-ranges.ts";
import { formatIp, type IpBytes, unmapIp } from "#platform/lib/ip-address.ts";
import { ADDRESS_WORDS, type KeyMemory } from "./key-memory.ts";

/** From where each key was last used, as any thread sees it. */
export class LastAddresses {
  readonly #words: Uint32Array;

  constructor(memory: KeyMemory) {
    this.#words = new Uint32Array(memory.addresses);
  }

  /** Notes the address, given as text, of a use of the key in this slot; what is no address is left out. */
  note(slot: number, address: string): void {
    const words = addressWords(address);
    if (words !== undefined) this.#words.set(words, slot * ADDRESS_WORDS);
  }

  /** The last one noted since the start. */
  at(slot: number): string | undefined {
    const words = this.#words.subarray(slot * ADDRESS_WORDS, (slot + 1) * ADDRESS_WORDS);
    if (words.every((word) => word === 0)) return undefined;
    const bytes: IpBytes = [...words].flatMap((word) => [24, 16, 8, 0].map((bits) => (word >>> bits) & 0xff));
    return formatIp(unmapIp(bytes));
  }
}
