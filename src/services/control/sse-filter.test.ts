import { expect, test } from "vitest";
import { allows, allowsSome, permissionSets, rightsOf } from "#gates/access/index.ts";
import { EVENT_TYPES } from "#platform/events/event.ts";
import type { Authorizer } from "#platform/http/ports.ts";
import { maySee, parseTypes } from "./sse-filter.ts";

const { sets } = permissionSets({
  listener: { allow: ["events.read"] },
  developer: { allow: ["events.read", "keys.manage:dev-*"], deny: ["keys.manage:dev-boss"] },
  accountant: { allow: ["events.read", "usage.read"] },
});
const authorizer: Authorizer = {
  allows: (caller, action, target) =>
    target === undefined
      ? allowsSome(rightsOf(caller, sets), action)
      : allows(rightsOf(caller, sets), action, target),
};

/** Which events someone with this permission set sees: those of keys by the key's name. */
function seenBy(set: string): string[] {
  const caller = { kind: "key", id: "key_1", slot: 0, permissionSets: [set] } as const;
  const names = ["dev-1", "dev-boss", "prod"];
  const events = EVENT_TYPES.flatMap((type) => {
    const named = type.startsWith("key.") ? names : [undefined];
    return named.map((name) => ({ type, data: { name }, shown: [type, name].join(" ").trim() }));
  });
  return events
    .filter(({ type, data }) => maySee(authorizer, caller, { id: "1", time: "", type, data }))
    .map(({ shown }) => shown);
}

const OF_KEYS = EVENT_TYPES.filter((type) => type.startsWith("key."));
const OF_NODES = EVENT_TYPES.filter((type) => type.startsWith("node."));
const OPEN = [
  "seal.locked",
  "seal.unlocked",
  "seal.reseal",
  "config.reloaded",
  "config.refused",
  "disk.low",
  "disk.ok",
];

test.each([
  ["listener", OPEN],
  ["accountant", [...OPEN, "usage.recorded"]],
  ["developer", [...OPEN, ...OF_KEYS.map((type) => `${type} dev-1`)]],
  ["viewer", [...OPEN, ...OF_NODES, "usage.recorded"]],
  ["member", [...OPEN, ...OF_NODES, "usage.recorded"]],
])("[C8] what %s sees", (set, seen) => {
  expect(seenBy(set).toSorted()).toEqual(seen.toSorted());
});

test("[C8] an event of a key without a name is seen by nobody", () => {
  const event = { id: "1", time: "", type: "key.created", data: { id: "key_2" } } as const;
  expect(maySee(authorizer, { kind: "local" }, event)).toBe(false);
});

test("[C8] types are taken whole or by what stands before the dot", () => {
  const given = (text?: string) => EVENT_TYPES.filter(parseTypes(text));
  expect(given()).toEqual([...EVENT_TYPES]);
  expect(given("seal,usage.recorded")).toEqual([
    "seal.locked",
    "seal.unlocked",
    "seal.reseal",
    "usage.recorded",
  ]);
  for (const text of ["", "seal,", "seal.", "seal.lock", "Seal", "nodes", "reset"])
    expect(() => parseTypes(text), text).toThrow("types takes seal, key, config, node, usage");
});
