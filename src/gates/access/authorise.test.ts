import { describe, expect, it } from "vitest";
import { ACTIONS } from "./action.ts";
import { allows, allowsSome, exceeds, type Rights, rightsOf } from "./authorise.ts";
import { permissionSets, setsNamed } from "./permission-set.ts";

/** One set from rules as text; a leading `!` denies. */
function rights(...rules: string[]): Rights {
  const allow = rules.filter((rule) => !rule.startsWith("!"));
  const deny = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
  const { sets, problems } = permissionSets({ mine: { allow, deny } });
  expect(problems).toEqual([]);
  return setsNamed(["mine"], sets);
}

describe("allows", () => {
  it.each<[string[], string | undefined, boolean]>([
    [[], "openai/gpt-5", false],
    [["gateway.use"], "openai/gpt-5", true],
    [["gateway.use"], undefined, true],
    [["gateway.use:openai/*"], "openai/gpt-5", true],
    [["gateway.use:openai/*"], "xopenai/gpt-5", false],
    [["gateway.use:openai/*"], undefined, false],
    [["gateway.use:**"], undefined, true],
    [["gateway.use:openai/gpt"], "openai/gpt-5", false],
    [["gateway.use:*-mini"], "openai/gpt-5-mini", true],
    [["gateway.use:*-mini"], "openai/gpt-5-mini-2", false],
    [["gateway.use:a*b*c"], "abc", true],
    [["gateway.use:a*b*c"], "acb", false],
    [["gateway.use:a*bc*c"], "abc", false],
    [["gateway.use:ab*ba"], "aba", false],
    [["gateway.use:ollama/llama3:8b"], "ollama/llama3:8b", true],
    [["gateway.use:o.enai/*"], "openai/gpt-5", false],
    [["gateway.use:OpenAI/*"], "openai/gpt-5", false],
    [["g*e:x/*"], "x/search", true],
    [["*"], "openai/gpt-5", true],
    [["models.read"], "openai/gpt-5", false],
    [["*", "!gateway.use"], "openai/gpt-5", false],
    [["!gateway.use:openai/*", "gateway.use"], "openai/gpt-5", false],
    [["gateway.use", "!gateway.use:openai/*"], "mistral/large", true],
    [["gateway.use", "!gateway.use:openai/*"], undefined, false],
  ])("[I2] rules %j on gateway.use of %s: %s", (rules, target, expected) => {
    expect(allows(rights(...rules), "gateway.use", target)).toBe(expected);
    expect(allows(rights(...rules.toReversed()), "gateway.use", target)).toBe(expected);
  });

  it("[I2] a deny of one set outweighs the allow of another, whichever comes first", () => {
    const [open, closed] = [rights("*"), rights("!keys.manage:prod-*")];
    for (const both of [
      [...open, ...closed],
      [...closed, ...open],
    ]) {
      expect(allows(both, "keys.manage", "prod-web")).toBe(false);
      expect(allows(both, "keys.manage", "dev")).toBe(true);
    }
  });

  it("[I2] a pattern made to be slow is matched without going back", () => {
    const slow = rights(`gateway.use:${"a*".repeat(5000)}b`);
    const started = performance.now();
    expect(allows(slow, "gateway.use", "a".repeat(50_000))).toBe(false);
    expect(allows(slow, "gateway.use", `${"a".repeat(50_000)}b`)).toBe(true);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each<[string[], boolean]>([
    [[], false],
    [["gateway.use:openai/*"], true],
    [["gateway.use", "!gateway.use:openai/*"], true],
    [["gateway.use", "!gateway.use"], false],
    [["gateway.use:openai/*", "!gateway.use:open*"], false],
  ])("rules %j leave something to use: %s", (rules, expected) => {
    expect(allowsSome(rights(...rules), "gateway.use")).toBe(expected);
  });
});

describe("rightsOf", () => {
  const { sets } = permissionSets({ limited: { deny: ["gateway.use"] } });
  const granted = (of: Rights) => ACTIONS.filter((action) => allows(of, action));

  it("[I15] local holds everything, the anonymous the set gateway, an empty list nothing", () => {
    expect(granted(rightsOf({ kind: "local" }, sets))).toEqual(ACTIONS);
    expect(granted(rightsOf({ kind: "anonymous" }, sets))).toEqual(["gateway.use", "models.read"]);
    expect(granted(rightsOf({ kind: "key", id: "key_1", permissionSets: [], slot: 0 }, sets))).toEqual([]);
  });

  it("a key with a set that is gone has nothing: the lost set may have been the one that denied", () => {
    const key = { kind: "key", id: "key_1", slot: 0 } as const;
    expect(granted(rightsOf({ ...key, permissionSets: ["gateway", "limited"] }, sets))).toEqual([
      "models.read",
    ]);
    expect(granted(rightsOf({ ...key, permissionSets: ["gateway", "gone"] }, sets))).toEqual([]);
  });
});

describe("exceeds", () => {
  it.each<[string[], string[], boolean]>([
    [[], [], false],
    [["*"], ["*"], false],
    [["*.read"], ["usage.read", "audit.read"], false],
    [["*.read"], ["gateway.use"], true],
    [["gateway.use"], ["gateway.use:openai/*"], false],
    [["gateway.use:openai/*"], ["gateway.use"], true],
    [["gateway.use:openai/*"], ["gateway.use:openai/gpt-*"], false],
    [["gateway.use:openai/gpt-*"], ["gateway.use:openai/*"], true],
    [["gateway.use:openai/*"], ["gateway.use:*/gpt"], true],
    [["gateway.use:a*c"], ["gateway.use:a*b*c"], false],
    [["gateway.use:a*b*c"], ["gateway.use:a*c"], true],
    [["gateway.use:openai/*"], ["gateway.use:openai/gpt", "!gateway.use"], false],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use"], true],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use:openai/gpt"], true],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use:mistral/*"], false],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use:*-mini"], true],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use", "!gateway.use:open*"], false],
    [["gateway.use", "!gateway.use:openai/*"], ["gateway.use", "!gateway.use:openai/gpt"], true],
    [["*", "!users.manage"], ["*"], true],
    [["*", "!users.manage"], ["keys.manage"], false],
  ])("[I15] a caller with %j hands out %j: too much is %s", (caller, wanted, expected) => {
    expect(exceeds(rights(...caller), rights(...wanted))).toBe(expected);
  });

  it("[I15] of the built-in sets, only a superadmin's caller may hand out superadmin", () => {
    const { sets } = permissionSets({});
    const set = (name: string) => setsNamed([name], sets);
    expect(exceeds(set("superadmin"), set("superadmin"))).toBe(false);
    expect(exceeds(set("operator"), set("superadmin"))).toBe(true);
    expect(exceeds(set("operator"), set("viewer"))).toBe(false);
    expect(exceeds(set("gateway"), set("member"))).toBe(true);
  });
});
