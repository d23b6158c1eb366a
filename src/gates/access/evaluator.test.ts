import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globCovers, globMatches, globsDisjoint, parseGlob } from "#platform/lib/glob.ts";
import { ACTIONS, TARGETED_ACTIONS } from "./action.ts";
import { allows, allowsSome, exceeds, type Rights } from "./authorise.ts";
import { type DeclaredPermissionSet, permissionSets, setsNamed } from "./permission-set.ts";

/** What the sets say, worked out as plainly as can be: each action, each target, each rule, by trying. */
interface Declared {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** `*` takes in nothing, or one character more. */
function naiveMatch(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*")
    return naiveMatch(pattern.slice(1), text) || (text !== "" && naiveMatch(pattern, text.slice(1)));
  return text !== "" && text[0] === pattern[0] && naiveMatch(pattern.slice(1), text.slice(1));
}

/** Every text of at most four letters; no pattern here has a c, so that there is always one a pattern leaves out. */
const TARGETS = [""];
for (const text of TARGETS) if (text.length < 4) TARGETS.push(`${text}a`, `${text}b`, `${text}c`);

const matchedBy = new Map<string, ReadonlySet<string>>();
function targetsOf(pattern: string): ReadonlySet<string> {
  const known = matchedBy.get(pattern);
  if (known !== undefined) return known;
  const matched = new Set(TARGETS.filter((target) => naiveMatch(pattern, target)));
  matchedBy.set(pattern, matched);
  return matched;
}

function speaksOf(rule: string, action: string, target: string): boolean {
  const [actions = "", ...pattern] = rule.split(":");
  return naiveMatch(actions, action) && targetsOf(pattern.join(":") || "*").has(target);
}

function naiveAllows(sets: readonly Declared[], action: string, target: string): boolean {
  const said = (list: "allow" | "deny") =>
    sets.some((set) => set[list].some((rule) => speaksOf(rule, action, target)));
  return said("allow") && !said("deny");
}

function naiveExceeds(caller: readonly Declared[], wanted: readonly Declared[]): boolean {
  return ACTIONS.some((action) =>
    (TARGETED_ACTIONS.has(action) ? TARGETS : [""]).some(
      (target) => naiveAllows(wanted, action, target) && !naiveAllows(caller, action, target),
    ),
  );
}

function rightsOf(sets: readonly Declared[]): Rights {
  const named: Record<string, DeclaredPermissionSet> = Object.fromEntries(
    sets.map((set, index) => [`set${index}`, set]),
  );
  const { sets: parsed, problems } = permissionSets(named);
  expect(problems).toEqual([]);
  return setsNamed(Object.keys(named), parsed);
}

const pattern = fc
  .array(fc.constantFrom("a", "b", "*"), { minLength: 1, maxLength: 4 })
  .map((letters) => letters.join(""));
const rule = fc.oneof(
  fc.constantFrom("gateway.use", "g*", "*", "*.read", "usage.read", "us*e*", "*.manage"),
  fc
    .tuple(fc.constantFrom("gateway.use", "gate*", "*y.use", "models.read", "mo*s.read"), pattern)
    .map(([actions, of]) => `${actions}:${of}`),
);
const rules = fc.array(rule, { maxLength: 3 });
const declared = fc.array(fc.record({ allow: rules, deny: rules }), { maxLength: 2 });
/** Without denies as well, or most of what is drawn would grant nothing. */
const granting = fc.oneof(
  declared,
  fc.array(fc.record({ allow: rules, deny: fc.constant([]) }), { maxLength: 2 }),
);
const ASKED = ["gateway.use", "models.read", "usage.read", "keys.manage"] as const;
const RUNS = { numRuns: 1500 };

describe("patterns, against trying every text", () => {
  const longer = fc
    .array(fc.constantFrom("a", "b", "*", "."), { maxLength: 12 })
    .map((letters) => letters.join(""));

  it("[I2] a text matches when a star may stand for any run of characters, and all else for itself", () => {
    const text = fc
      .array(fc.constantFrom("a", "b", "."), { maxLength: 12 })
      .map((letters) => letters.join(""));
    fc.assert(
      fc.property(longer, text, (of, tried) => {
        expect(globMatches(parseGlob(of), tried)).toBe(naiveMatch(of, tried));
      }),
      { numRuns: 20_000 },
    );
    // Texts drawn freely seldom match: these are made to, by something in the place of each star.
    const filling = fc.array(fc.constantFrom("", "a", "b", "ab", "ba."), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(longer, filling, (of, fillings) => {
        let next = 0;
        const made = of.replaceAll("*", () => fillings[next++] ?? "");
        expect(globMatches(parseGlob(of), made)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it("[I15] what is said to be covered is, and what is said to be disjoint is", () => {
    let [covered, disjoint] = [0, 0];
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const [a, b] = [parseGlob(one), parseGlob(other)];
        const [ofA, ofB] = [targetsOf(one), targetsOf(other)];
        if (globCovers(a, b)) {
          covered++;
          expect([...ofB].filter((text) => !ofA.has(text))).toEqual([]);
        }
        if (globsDisjoint(a, b)) {
          disjoint++;
          expect([...ofB].filter((text) => ofA.has(text))).toEqual([]);
        }
        expect(globsDisjoint(a, b)).toBe(globsDisjoint(b, a));
        expect(globCovers(a, a)).toBe(true);
        expect(globCovers(parseGlob("*"), a)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
    expect(Math.min(covered, disjoint)).toBeGreaterThan(1000);
  });
});

describe("permissions, against trying every rule on every target", () => {
  it("[I2] allowed is what some rule allows and none denies, whatever the order of rules and sets", () => {
    let granted = 0;
    fc.assert(
      fc.property(declared, (sets) => {
        const rights = rightsOf(sets);
        const turned = rightsOf(
          sets
            .toReversed()
            .map(({ allow, deny }) => ({ allow: allow.toReversed(), deny: deny.toReversed() })),
        );
        for (const action of ASKED) {
          const yes = TARGETS.filter((target) => allows(rights, action, target));
          expect(yes).toEqual(TARGETS.filter((target) => naiveAllows(sets, action, target)));
          expect(TARGETS.filter((target) => allows(turned, action, target))).toEqual(yes);
          expect(allows(turned, action)).toBe(allows(rights, action));
          expect(allowsSome(turned, action)).toBe(allowsSome(rights, action));
          granted += yes.length;
        }
      }),
      RUNS,
    );
    expect(granted).toBeGreaterThan(1000);
  });

  it("[I2] without a target: allowed when every target is", () => {
    fc.assert(
      fc.property(granting, (sets) => {
        for (const action of ASKED) {
          const all = TARGETS.every((target) => naiveAllows(sets, action, target));
          expect(allows(rightsOf(sets), action), action).toBe(all);
        }
      }),
      RUNS,
    );
  });

  it("[I2] nothing is allowed by default, and a deny of the whole action leaves nothing", () => {
    fc.assert(
      fc.property(declared, fc.constantFrom(...ASKED), (sets, action) => {
        const silent = sets.map(({ deny }) => ({ allow: [], deny }));
        const denied = rightsOf([...sets, { allow: [], deny: [action] }]);
        for (const rights of [rightsOf(silent), denied]) {
          expect(TARGETS.filter((target) => allows(rights, action, target))).toEqual([]);
          expect([allows(rights, action), allowsSome(rights, action)]).toEqual([false, false]);
        }
      }),
      RUNS,
    );
  });

  it("[I2] the door is open to whoever may use one target, and without denies to no one else", () => {
    fc.assert(
      fc.property(granting, (sets) => {
        for (const action of ASKED) {
          const some = TARGETS.some((target) => naiveAllows(sets, action, target));
          const open = allowsSome(rightsOf(sets), action);
          if (some) expect(open, action).toBe(true);
          else if (sets.every(({ deny }) => deny.length === 0)) expect(open, action).toBe(false);
        }
      }),
      RUNS,
    );
  });
});

describe("exceeding one's own rights, against trying every target", () => {
  it("[I15] it is never denied that something is too much where one target shows it", () => {
    let [within, beyond] = [0, 0];
    fc.assert(
      fc.property(granting, declared, (caller, wanted) => {
        const excess = naiveExceeds(caller, wanted);
        if (excess) {
          beyond++;
          expect(exceeds(rightsOf(caller), rightsOf(wanted))).toBe(true);
        } else if (!exceeds(rightsOf(caller), rightsOf(wanted))) within++;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(within, beyond)).toBeGreaterThan(500);
  });

  it("[I15] near misses too: what the caller holds with one rule changed", () => {
    let beyond = 0;
    const list = fc.constantFrom("allow" as const, "deny" as const);
    fc.assert(
      fc.property(granting, list, fc.nat(), fc.option(rule), (caller, changed, at, put) => {
        const wanted = caller.map((set) => {
          const rest = set[changed].toSpliced(at % Math.max(set[changed].length, 1), 1);
          return { ...set, [changed]: put === null ? rest : [...rest, put] };
        });
        if (!naiveExceeds(caller, wanted)) return;
        beyond++;
        expect(exceeds(rightsOf(caller), rightsOf(wanted))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(beyond).toBeGreaterThan(500);
  });

  it("[I15] what one holds is not too much, nor is less of it", () => {
    fc.assert(
      fc.property(declared, rules, (sets, more) => {
        const own = rightsOf(sets);
        expect(exceeds(own, own)).toBe(false);
        expect(exceeds(own, [])).toBe(false);
        expect(exceeds(own, rightsOf([...sets, { allow: [], deny: more }]))).toBe(false);
        expect(exceeds(rightsOf([{ allow: ["*"], deny: [] }]), own)).toBe(false);
      }),
      RUNS,
    );
  });
});
