import { allows, allowsSome, type PermissionSets, type Rights, rightsOf } from "#gates/access/index.ts";
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
      authenticate: (presented) => judge(keys, presented),
      holds: (caller) => !("slot" in caller) || keys.holds(caller.slot),
    },
    addressLimit: limits.addresses,
    callerLimits: {
      begin: (caller, nowMs) => {
        if (!("slot" in caller)) return undefined;
        const own = keys.limitsOf(caller.slot);
        return own && limits.principals.begin(caller.slot, own, nowMs);
      },
    },
    authorizer: {
      allows: (caller, action, target) =>
        target === undefined ? allowsSome(held(caller), action) : allows(held(caller), action, target),
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

function judge(
  keys: KeyReader,
  presented: string | undefined,
): ReturnType<Gates["authenticator"]["authenticate"]> {
  const verdict = keys.authenticate(presented);
  if (!verdict.ok) return { refused: verdict.reason };
  keys.markUsed(verdict.key.slot);
  const { id, permissionSets, slot } = verdict.key;
  return { caller: { kind: "key", id, permissionSets, slot } };
}
