/** The name of `names` fewest edits away from `text`, if at most half of the text would have to change. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  if (text.length > 64) return undefined;
  const wanted = text.toLowerCase();
  let best: { name: string; edits: number } | undefined;
  for (const name of names) {
    const edits = editDistance(wanted, name.toLowerCase());
    if (best === undefined || edits < best.edits) best = { name, edits };
  }
  return best !== undefined && best.edits <= wanted.length / 2 ? best.name : undefined;
}

/** ` (did you mean "x"?)` or, when nothing is near, ` (known: a, b)`. Repeats known names only, never `text`. */
export function suggestion(text: string, names: readonly string[]): string {
  const name = nearest(text, names);
  return name === undefined ? ` (known: ${names.join(", ")})` : ` (did you mean "${name}"?)`;
}

/** Levenshtein distance by the two-row method. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
