import { quoted } from "#platform/config/quoted.ts";
import { AppError } from "#platform/lib/error.ts";
import { type Glob, globMatches, parseGlob } from "#platform/lib/glob.ts";
import { nearestName } from "#platform/lib/nearest-name.ts";
import { ACTIONS, type Action, TARGETED_ACTIONS } from "./action.ts";

/** A PermissionSet as it is declared: everything, or rules of the form `action[:pattern]`. */
export type DeclaredPermissionSet =
  | { readonly permissions: "full" }
  | { readonly allow?: readonly string[] | undefined; readonly deny?: readonly string[] | undefined };

export interface Rule {
  readonly actions: ReadonlySet<string>;
  readonly pattern: Glob;
}

export interface PermissionSet {
  readonly allow: readonly Rule[];
  readonly deny: readonly Rule[];
}

/** All sets in force, by name. */
export type PermissionSets = ReadonlyMap<string, PermissionSet>;

const OPERATOR_LACKS: readonly Action[] = [
  "users.manage",
  "settings.manage",
  "backup.create",
  "cluster.lock",
];

/** The sets every server has. */
export const BUILT_IN: Readonly<Record<string, DeclaredPermissionSet>> = {
  superadmin: { permissions: "full" },
  operator: { allow: ACTIONS.filter((action) => !OPERATOR_LACKS.includes(action)) },
  viewer: { allow: ["*.read"] },
  gateway: { allow: ["gateway.use", "models.read"] },
  member: { allow: ["nodes.read", "events.read", "usage.read", "models.read", "gateway.use"] },
};

/**
 * The built-in sets with the declared ones beside or in place of them, and every problem found in those, each
 * beginning with the set's name. A set with a problem is left out: it must grant nothing rather than too much.
 */
export function permissionSets(declared: Readonly<Record<string, DeclaredPermissionSet>>): {
  sets: PermissionSets;
  problems: string[];
} {
  const sets = new Map<string, PermissionSet>();
  const problems: string[] = [];
  for (const [name, source] of Object.entries({ ...BUILT_IN, ...declared })) {
    const before = problems.length;
    const report = (problem: string) => problems.push(`${name}: ${problem}`);
    const set = parseSet(source, report);
    if (problems.length === before) sets.set(name, set);
  }
  return { sets, problems };
}

/** The rules of a set as they are written, and whether the file declares it; `permissions: full` is the rule `*`. */
export function sourceOf(
  name: string,
  declared: Readonly<Record<string, DeclaredPermissionSet>>,
): { readonly isDeclared: boolean; readonly allow: string[]; readonly deny: string[] } {
  const isDeclared = Object.hasOwn(declared, name);
  const source = (isDeclared ? declared : BUILT_IN)[name] ?? {};
  if ("permissions" in source) return { isDeclared, allow: ["*"], deny: [] };
  return { isDeclared, allow: [...(source.allow ?? [])], deny: [...(source.deny ?? [])] };
}

/** The sets of these names. Throws AppError `bad_request`, with the nearest name, where one does not exist. */
export function setsNamed(names: readonly string[], sets: PermissionSets): PermissionSet[] {
  return names.map((name) => {
    const set = sets.get(name);
    if (set !== undefined) return set;
    throw new AppError(
      "bad_request",
      `There is no permission set "${name}".${suggestion(name, sets.keys())}`,
    );
  });
}

function parseSet(source: DeclaredPermissionSet, report: (problem: string) => void): PermissionSet {
  if ("permissions" in source)
    return { allow: [{ actions: new Set(ACTIONS), pattern: parseGlob("*") }], deny: [] };
  const parseAll = (list: string, rules: readonly string[] = []) =>
    rules.map((text) => parseRule(text, (problem) => report(`${list} "${text}": ${problem}`)));
  return { allow: parseAll("allow", source.allow), deny: parseAll("deny", source.deny) };
}

/** Reads `action[:pattern]`; of what is wrong it repeats actions only. */
export function parseRule(text: string, report: (problem: string) => void): Rule {
  const colon = text.indexOf(":");
  const actionText = colon === -1 ? text : text.slice(0, colon);
  const actionGlob = parseGlob(actionText);
  const actions = new Set(ACTIONS.filter((action) => globMatches(actionGlob, action)));
  if (actions.size === 0)
    report(`no action is called ${quoted(actionText)}.${suggestion(actionText, ACTIONS)}`);
  if (colon === -1) return { actions, pattern: parseGlob("*") };

  const pattern = text.slice(colon + 1);
  if (pattern === "") report("the pattern after the colon is empty.");
  const untargeted = [...actions].filter((action) => !TARGETED_ACTIONS.has(action));
  if (untargeted.length > 0) report(`${untargeted.join(", ")} takes no pattern.`);
  return { actions, pattern: parseGlob(pattern) };
}

function suggestion(written: string, known: Iterable<string>): string {
  const name = nearestName(written, known);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}
