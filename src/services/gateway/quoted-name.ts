const QUOTE = '"';
/** The letters of English from the most to the least frequent; what is none of them is rarer. */
const BY_FREQUENCY = "etaoinsrhldcumfpgwybvkxjqz";

/**
 * Finds `"name"` in bytes, from `from` on: where its opening quote stands, or -1. It is looked for from its rarest letter
 * on, and what is before that letter only then: JSON has a quote every few bytes, at each of which a search that begins
 * with one would stop.
 */
export function quotedName(name: string): (bytes: Buffer, from?: number) => number {
  const whole = Buffer.from(QUOTE + name + QUOTE, "latin1");
  const rarity = [...name].map((letter) => BY_FREQUENCY.indexOf(letter) + 1 || BY_FREQUENCY.length + 1);
  const before = 1 + rarity.indexOf(Math.max(...rarity));
  const rest = whole.subarray(before);
  return (bytes, from = 0) => {
    for (let at = bytes.indexOf(rest, from + before); at !== -1; at = bytes.indexOf(rest, at + 1))
      if (isBefore(bytes, at, whole, before)) return at - before;
    return -1;
  };
}

/** Whether the first `length` bytes of `whole` stand right before `at`. By hand: so few cost less than a call. */
function isBefore(bytes: Buffer, at: number, whole: Buffer, length: number): boolean {
  for (let back = 1; back <= length; back += 1) if (bytes[at - back] !== whole[length - back]) return false;
  return true;
}
