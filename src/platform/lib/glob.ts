/** A pattern in which `*` stands for any run of characters, the empty one included; all else is literal. */
export interface Glob {
  readonly text: string;
  /** The literal runs between the stars; a single one when there is no star. */
  readonly parts: readonly string[];
}

export function parseGlob(text: string): Glob {
  return { text, parts: text.split("*") };
}

/**
 * Whether the whole of `text` matches. Every run is taken at its first place after the previous one, which is
 * enough for `*` and never goes back: no pattern makes this slow, as a regular expression could be made.
 */
export function globMatches(glob: Glob, text: string): boolean {
  const { parts } = glob;
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
  const last = parts.at(-1) ?? "";
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let position = first.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] ?? "";
    const found = text.indexOf(part, position);
    if (found === -1 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}

/**
 * Whether `wide` surely matches everything `narrow` matches. The stars of `narrow` are read as plain characters:
 * only a star of `wide` can take them in, and it takes in whatever they stand for. May say no where yes is true.
 */
export function globCovers(wide: Glob, narrow: Glob): boolean {
  return globMatches(wide, narrow.text);
}

/** Whether surely no text matches both. May say no where yes is true. */
export function globsDisjoint(a: Glob, b: Glob): boolean {
  if (a.parts.length === 1) return !globMatches(b, a.text);
  if (b.parts.length === 1) return !globMatches(a, b.text);
  const [startA, startB] = [a.parts[0] ?? "", b.parts[0] ?? ""];
  const [endA, endB] = [a.parts.at(-1) ?? "", b.parts.at(-1) ?? ""];
  const startsAgree = startA.startsWith(startB) || startB.startsWith(startA);
  const endsAgree = endA.endsWith(endB) || endB.endsWith(endA);
  return !(startsAgree && endsAgree);
}
