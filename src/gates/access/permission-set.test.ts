import { describe, expect, it } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { ACTIONS } from "./action.ts";
import { allows } from "./authorise.ts";
import { permissionSets, setsNamed } from "./permission-set.ts";

const MANAGING = [
  "providers.manage",
  "routes.manage",
  "keys.manage",
  "users.manage",
  "settings.manage",
  "cluster.manage",
  "mitm.manage",
];
const READING = [
  "models.read",
  "nodes.read",
  "events.read",
  "usage.read",
  "requests.read",
  "audit.read",
  "metrics.read",
  "identities.read",
];

const BUILT_IN: [string, string[]][] = [
  ["superadmin", [...READING, ...MANAGING, "gateway.use", "backup.create", "cluster.lock"]],
  [
    "operator",
    [
      ...READING,
      "gateway.use",
      "providers.manage",
      "routes.manage",
      "keys.manage",
      "cluster.manage",
      "mitm.manage",
    ],
  ],
  ["viewer", READING],
  ["gateway", ["gateway.use", "models.read"]],
  ["member", ["nodes.read", "events.read", "usage.read", "models.read", "gateway.use"]],
];

describe("permission sets", () => {
  it.each(BUILT_IN)("[I15] the built-in set %s grants exactly its actions", (name, granted) => {
    const rights = setsNamed([name], permissionSets({}).sets);
    expect(ACTIONS.filter((action) => allows(rights, action))).toEqual(
      ACTIONS.filter((action) => granted.includes(action)),
    );
  });

  it("[I15] a declared set with a built-in name replaces it", () => {
    const { sets, problems } = permissionSets({ viewer: { allow: ["usage.read"] } });
    const rights = setsNamed(["viewer"], sets);
    expect(problems).toEqual([]);
    expect(ACTIONS.filter((action) => allows(rights, action))).toEqual(["usage.read"]);
  });

  it.each([
    ["gateway.user", 'no action is called "gateway.user". Did you mean "gateway.use"?'],
    ["Keys.manage", 'no action is called "Keys.manage". Did you mean "keys.manage"?'],
    ["zz*", 'no action is called "zz*".'],
    ["", 'no action is called "".'],
    ["gateway.use:", "the pattern after the colon is empty."],
    ["usage.read:openai/*", "usage.read takes no pattern."],
    ["users.manage:ann", "users.manage takes no pattern."],
    ["cluster.*:x", "cluster.manage, cluster.lock takes no pattern."],
  ])("[I2] the rule %j is refused, saying why", (rule, problem) => {
    const { sets, problems } = permissionSets({ mine: { allow: [rule] }, other: { allow: ["*"] } });
    expect(problems).toEqual([`mine: allow "${rule}": ${problem}`]);
    expect([sets.has("mine"), sets.has("other")]).toEqual([false, true]);
  });

  it("[I2] every problem is reported at once, of allow and deny", () => {
    const declared = { a: { allow: ["x"], deny: ["y", "audit.read"] }, b: { deny: ["audit.read:x"] } };
    expect(permissionSets(declared).problems).toHaveLength(3);
  });

  it("an unknown set is refused with the nearest name", () => {
    const { sets } = permissionSets({});
    expect(() => setsNamed(["viewer", "operater"], sets)).toThrow(
      new AppError("bad_request", 'There is no permission set "operater". Did you mean "operator"?'),
    );
    expect(() => setsNamed(["quite-different-altogether"], sets)).toThrow(/altogether"\.$/);
  });
});
