import { type Glob, globMatches, parseGlob } from "./glob.ts";

/** Lists are few and asked about again and again; one is never changed. */
const parsed = new WeakMap<readonly string[], readonly Glob[]>();

/**
 * Whether one of these patterns, written as in a permission rule, matches the whole of `text`. Where that is a pattern
 * itself, its stars are matched by stars alone: then all that it matches is matched here.
 */
export function matchesSome(patterns: readonly string[], text: string): boolean {
  const known = parsed.get(patterns);
  const globs = known ?? patterns.map(parseGlob);
  if (known === undefined) parsed.set(patterns, globs);
  return globs.some((glob) => globMatches(glob, text));
}
