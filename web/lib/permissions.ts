import { type Action, BUILT_IN_SETS } from "./api-types.ts";

/**
 * Whether these permission sets may allow `action` on something. Of a set that the configuration file declares the browser
 * knows nothing, and says yes: the server decides, and its refusal is shown.
 */
export function mayDo(sets: readonly string[], action: Action): boolean {
  return sets.some((name) => BUILT_IN_SETS[name]?.includes(action) ?? true);
}
