/** What JSON and English are made of, from the most to the least frequent; what is none of it is rarer. */
const BY_FREQUENCY = Buffer.from(' "etaoinsrhldcu,:mfpgwybv0123456789k{}[]._-/\\xjqz');
/** So many bytes in vain cost as much as having all looked for from the start. */
const MOST_IN_VAIN = 8;

/** Where the bytes looked for stand in `bytes`, from `from` on; or -1. */
export type BytesFinder = (bytes: Buffer, from?: number) => number;

/**
 * Finds `needle`, of which there must be some, by its rarest byte: Node looks for one byte in a quarter of the time it takes
 * to look for several, and in most of what passes that byte is not there at all.
 */
export function bytesFinder(needle: Buffer): BytesFinder {
  const rarities = [...needle].map((byte) => BY_FREQUENCY.indexOf(byte) + 1 || BY_FREQUENCY.length + 1);
  const before = rarities.indexOf(Math.max(...rarities));
  const rarest = needle[before] ?? 0;
  return (bytes, from = 0) => {
    let inVain = 0;
    for (let at = bytes.indexOf(rarest, from + before); at !== -1; at = bytes.indexOf(rarest, at + 1)) {
      if (standsAt(bytes, at - before, needle)) return at - before;
      inVain += 1;
      if (inVain === MOST_IN_VAIN) return bytes.indexOf(needle, at - before + 1);
    }
    return -1;
  };
}

/** Whether `needle` stands there. By hand: what is compared is short or differs early, and costs less than a call. */
export function standsAt(bytes: Buffer, at: number, needle: Buffer): boolean {
  for (let offset = 0; offset < needle.length; offset += 1)
    if (bytes[at + offset] !== needle[offset]) return false;
  return true;
}
