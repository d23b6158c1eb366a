import type { Caller } from "#platform/http/ports.ts";
import { type Glob, globCovers, globMatches, globsDisjoint, parseGlob } from "#platform/lib/glob.ts";
import { ACTIONS, type Action } from "./action.ts";
import { type PermissionSet, type PermissionSets, setsNamed } from "./permission-set.ts";

/** What a principal holds: his sets taken together. A deny of one outweighs an allow of another. */
export type Rights = readonly PermissionSet[];

const ANYTHING = parseGlob("*");
const FULL: Rights = [{ allow: [{ actions: new Set(ACTIONS), pattern: ANYTHING }], deny: [] }];

/** Whatever a listener's configuration gives them: who these are let to may as well be given everything. */
const NEVER_ANONYMOUS: PermissionSet = {
  allow: [],
  deny: [
    { actions: new Set(["settings.manage", "users.manage", "backup.create"] as const), pattern: ANYTHING },
  ],
};

/**
 * The rights of a principal under the sets in force: `local` holds everything, the anonymous what the listener's sets
 * give (the set `gateway` unless said), save what is never theirs. A set that no longer exists leaves its holder with
 * nothing at all: it may have held a deny.
 */
export function rightsOf(principal: Caller, sets: PermissionSets): Rights {
  if (principal.kind === "local") return FULL;
  // What a node may is not said in sets.
  if (principal.kind === "node") return [];
  const names = principal.permissionSets ?? ["gateway"];
  const held = names.map((name) => sets.get(name)).filter((set) => set !== undefined);
  if (held.length !== names.length) return [];
  return principal.kind === "anonymous" ? [...held, NEVER_ANONYMOUS] : held;
}

/**
 * Whether `action` is allowed on `target`. Without a target the question is about every target there is: an
 * allow with a narrower pattern does not suffice, any deny on the action refuses.
 */
export function allows(rights: Rights, action: string, target?: string): boolean {
  if (target === undefined)
    return !someRule(rights, "deny", action, () => true) && someRule(rights, "allow", action, coversAnything);
  const matches = (glob: Glob) => globMatches(glob, target);
  return someRule(rights, "allow", action, matches) && !someRule(rights, "deny", action, matches);
}

/** Whether `action` may be allowed on some target: for the door, before the target is known. */
export function allowsSome(rights: Rights, action: string): boolean {
  return someRule(
    rights,
    "allow",
    action,
    (glob) => !someRule(rights, "deny", action, (deny) => globCovers(deny, glob)),
  );
}

/** Every action that these rights allow on some target. */
export function heldActions(rights: Rights): Action[] {
  return ACTIONS.filter((action) => allowsSome(rights, action));
}

/** Whether who has these sets may more than `caller`, or may come to: a set that is gone may come back with anything in it. */
export function exceedsOwn(caller: Caller, names: readonly string[], sets: PermissionSets): boolean {
  const wanted = names.every((name) => sets.has(name)) ? setsNamed(names, sets) : FULL;
  return exceeds(rightsOf(caller, sets), wanted);
}

/**
 * Whether `wanted` holds anything that `caller` does not. In doubt, where patterns overlap in ways not decided
 * here, the answer is yes: refusing too much is repaired by asking someone else, granting too much is not.
 */
export function exceeds(caller: Rights, wanted: Rights): boolean {
  return ACTIONS.some((action) => {
    const callerAllowed = patterns(caller, "allow", action);
    const callerDenied = patterns(caller, "deny", action);
    const wantedDenied = patterns(wanted, "deny", action);
    return patterns(wanted, "allow", action).some((glob) => {
      if (wantedDenied.some((deny) => globCovers(deny, glob))) return false;
      if (!callerAllowed.some((allow) => globCovers(allow, glob))) return true;
      return callerDenied.some(
        (deny) => !globsDisjoint(deny, glob) && !wantedDenied.some((kept) => globCovers(kept, deny)),
      );
    });
  });
}

function coversAnything(glob: Glob): boolean {
  return globCovers(glob, ANYTHING);
}

/** Asked of every request: without a list of what it looks through. */
function someRule(
  rights: Rights,
  list: "allow" | "deny",
  action: string,
  test: (pattern: Glob) => boolean,
): boolean {
  for (const set of rights)
    for (const { actions, pattern } of set[list]) if (actions.has(action) && test(pattern)) return true;
  return false;
}

function patterns(rights: Rights, list: "allow" | "deny", action: string): Glob[] {
  return rights.flatMap((set) =>
    set[list].filter((rule) => rule.actions.has(action)).map((rule) => rule.pattern),
  );
}
