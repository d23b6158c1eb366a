import {
  allows,
  allowsSome,
  matchesSome,
  type PermissionSets,
  type Rights,
  rightsOf,
} from "#gates/access/index.ts";
import type { KeyReader } from "#identity/keys/index.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { Caller, LockGate } from "#platform/http/ports.ts";
import type { Limits } from "./limits.ts";

/** The pipeline's ports, served by the features. */
export function createGates(parts: {
  lock: LockGate;
  keys: KeyReader;
  sets: PermissionSets;
  limits: Limits;
}): Gates {
  const { keys, sets, limits } = parts;
  const held = rightsBy(sets);
  return {
    lock: parts.lock,
    authenticator: {
      authenticate: (presented, address) => judge(keys, presented, address),
      holds: (caller) => !("slot" in caller) || keys.holds(caller.slot),
    },
    addressLimit: limits.addresses,
    callerLimits: {
      begin: (caller, nowMs) => {
        if (!("slot" in caller)) return undefined;
        const own = keys.limitsOf(caller.slot);
        return own && limits.principals.begin(keys.limitSlotOf(caller.slot), own, nowMs);
      },
    },
    authorizer: {
      allows: (caller, action, target) => {
        if (target === undefined) return allowsSome(held(caller), action);
        return allows(held(caller), action, target) && isForModel(caller, action, target);
      },
    },
  };
}

/** Who holds the same grant has the same list of sets in memory, so that his rights are put together once. */
function rightsBy(sets: PermissionSets): (caller: Caller) => Rights {
  const known = new WeakMap<readonly string[], Rights>();
  return (caller) => {
    if (caller.kind === "local" || caller.permissionSets === undefined) return rightsOf(caller, sets);
    const before = known.get(caller.permissionSets);
    if (before !== undefined) return before;
    const rights = rightsOf(caller, sets);
    known.set(caller.permissionSets, rights);
    return rights;
  };
}

/** A list of models narrows what a caller may do with models and APIs, and nothing else. */
function isForModel(caller: Caller, action: string, target: string): boolean {
  if (caller.kind !== "key" || caller.models === undefined) return true;
  return (action !== "gateway.use" && action !== "models.read") || matchesSome(caller.models, target);
}

function judge(
  keys: KeyReader,
  presented: string | undefined,
  address: string | null,
): ReturnType<Gates["authenticator"]["authenticate"]> {
  const verdict = keys.authenticate(presented, address);
  if (!verdict.ok) return { refused: verdict.reason };
  const { id, permissionSets, slot, models } = verdict.key;
  keys.markUsed(slot, address);
  return { caller: { kind: "key", id, permissionSets, slot, models } };
}
