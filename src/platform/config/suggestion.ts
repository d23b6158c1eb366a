import { nearestName } from "#platform/lib/nearest-name.ts";

/** ` (did you mean "x"?)` or, when nothing is near, ` (known: a, b)`. Repeats known names only, never `text`. */
export function suggestion(text: string, names: readonly string[]): string {
  const name = nearestName(text, names);
  return name === undefined ? ` (known: ${names.join(", ")})` : ` (did you mean "${name}"?)`;
}
