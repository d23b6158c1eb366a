import { type Action, PERMITS } from "./action.ts";
import { heldActions } from "./authorise.ts";
import { type DeclaredPermissionSet, permissionSets, type Rule, sourceOf } from "./permission-set.ts";

/** A set in force, its rules as they are written, and what they come to. */
export interface DescribedSet {
  readonly name: string;
  readonly source: "built-in" | "file";
  readonly allow: string[];
  readonly deny: string[];
  /** What it allows on something, the patterns of what it allows that on, and of what it denies that on. */
  readonly actions: { readonly action: Action; readonly permits: string; on: string[]; except: string[] }[];
}

/** The built-in sets, and those that the file declares beside or in place of them. */
export function describedSets(declared: Readonly<Record<string, DeclaredPermissionSet>>): DescribedSet[] {
  return [...permissionSets(declared).sets].map(([name, set]) => {
    const { isDeclared, allow, deny } = sourceOf(name, declared);
    const actions = heldActions([set]).map((action) => ({
      action,
      permits: PERMITS[action],
      on: patternsOf(set.allow, action),
      except: patternsOf(set.deny, action),
    }));
    return { name, source: isDeclared ? "file" : "built-in", allow, deny, actions };
  });
}

/** The patterns that these rules have for `action`; one that matches everything stands for all. */
function patternsOf(rules: readonly Rule[], action: Action): string[] {
  const patterns = rules.filter(({ actions }) => actions.has(action)).map(({ pattern }) => pattern.text);
  return patterns.includes("*") ? ["*"] : patterns;
}
