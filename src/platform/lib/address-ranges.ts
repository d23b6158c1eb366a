import { parseIp } from "./ip-address.ts";

const BITS = 128;
const MAPPED_BITS = 96;
const MAPPED_WORD = 0xffff;

/** Addresses a key may be used from, compared as IPv6 ones, an IPv4 one as its IPv4-mapped form (RFC 4291, 2.5.5.2). */
export class AddressRanges {
  /** Four words of the first address, then four of the mask, one range after another. */
  readonly #words: readonly number[];

  /** `texts` are addresses and `ADDRESS/BITS`; one that is neither matches nothing. */
  constructor(texts: readonly string[]) {
    this.#words = texts.map(parseRange).flatMap((range) => range ?? []);
  }

  /**
   * Whether the address, given as text, is in one of them. Every range is looked at; text that is no address, or null,
   * is in none.
   */
  holds(address: string | null): boolean {
    const wanted = address === null ? undefined : addressWords(address);
    if (wanted === undefined) return false;
    const words = this.#words;
    let found = false;
    for (let at = 0; at < words.length; at += 8) {
      let difference = 0;
      for (let word = 0; word < 4; word++)
        difference |= ((words[at + word] ?? 0) ^ (wanted[word] ?? 0)) & (words[at + 4 + word] ?? 0);
      found = difference === 0 || found;
    }
    return found;
  }
}

/** Of the range for documentation (RFC 5737): nobody is there. Asked where an answer must take as long as another. */
export const NOWHERE = new AddressRanges(["192.0.2.0/24"]);

/** Whether the text is an address or a range `ADDRESS/BITS`. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== undefined;
}

/** The four 32-bit words of an address; undefined for text that is none. */
export function addressWords(text: string): readonly number[] | undefined {
  const bytes = parseIp(text);
  if (bytes === undefined) return undefined;
  const words: number[] = bytes.length === 4 ? [0, 0, MAPPED_WORD] : [];
  for (let at = 0; at < bytes.length; at += 4)
    words.push(
      (((bytes[at] ?? 0) << 24) |
        ((bytes[at + 1] ?? 0) << 16) |
        ((bytes[at + 2] ?? 0) << 8) |
        (bytes[at + 3] ?? 0)) >>>
        0,
    );
  return words;
}

function parseRange(text: string): readonly number[] | undefined {
  const [, address = "", bitsText] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const words = addressWords(address);
  if (words === undefined) return undefined;
  const before = address.includes(":") ? 0 : MAPPED_BITS;
  const bits = bitsText === undefined ? BITS : before + Number(bitsText);
  if (bits > BITS) return undefined;
  return [...words, ...[0, 1, 2, 3].map((word) => maskWord(bits - word * 32))];
}

/** A word whose first `bits` bits are set; all of them for 32 and more, none for 0 and less. */
function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffff_ffff : (0xffff_ffff << (32 - bits)) >>> 0;
}
