import { permissionSets } from "#gates/access/index.ts";
import { quoted } from "#platform/config/quoted.ts";
import { suggestion } from "#platform/config/suggestion.ts";

/** Permission sets as the file declares them, by name; what `permissionSets` takes. */
export type DeclaredSets = Parameters<typeof permissionSets>[0];

/** What names in one resource may refer to. */
export interface Referred {
  /** The sets of the file, by name. */
  readonly permissionSets: DeclaredSets;
  /** The type of every resource of the file, by name. */
  readonly types: ReadonlyMap<string, string>;
}

/** Why `name` is no permission set; undefined when it is one. */
export function setFault(name: string, referred: Referred): string | undefined {
  const { sets } = permissionSets(Object.fromEntries(namesOf(referred, "PermissionSet").map(emptySet)));
  if (sets.has(name)) return undefined;
  return dangling(name, { wanted: "PermissionSet", known: [...sets.keys()], types: referred.types });
}

/** Why `name` is no identity and none of the words that may stand in its place; undefined when it is. */
export function entryFault(name: string, words: readonly string[], referred: Referred): string | undefined {
  const known = [...words, ...namesOf(referred, "Identity")];
  if (known.includes(name)) return undefined;
  return dangling(name, { wanted: "Identity", known, types: referred.types });
}

function dangling(
  name: string,
  { wanted, known, types }: { wanted: string; known: readonly string[]; types: ReadonlyMap<string, string> },
): string {
  const other = types.get(name);
  if (other !== undefined && quoted(other) !== "this" && other !== wanted)
    return `${quoted(name)} is a resource of type ${other}, and ${wanted} is wanted here`;
  return `there is no ${wanted} called ${quoted(name) === "this" ? "so" : quoted(name)}${suggestion(name, known)}`;
}

function namesOf({ types }: Referred, wanted: string): string[] {
  return [...types].filter(([, type]) => type === wanted).map(([name]) => name);
}

function emptySet(name: string): [string, DeclaredSets[string]] {
  return [name, { allow: [] }];
}
