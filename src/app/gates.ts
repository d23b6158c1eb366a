import { allows, allowsSome, type PermissionSets, rightsOf } from "#gates/access/index.ts";
import type { KeyReader } from "#identity/keys/index.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { LockGate } from "#platform/http/ports.ts";
import type { Limits } from "./limits.ts";

/** The pipeline's ports, served by the features. */
export function createGates(parts: {
  lock: LockGate;
  keys: KeyReader;
  sets: PermissionSets;
  limits: Limits;
}): Gates {
  const { keys, sets, limits } = parts;
  return {
    lock: parts.lock,
    authenticator: {
      authenticate: (presented) => judge(keys, presented),
      holds: (caller) => caller.kind !== "key" || keys.holds(caller.slot),
    },
    addressLimit: limits.addresses,
    callerLimits: {
      begin: (caller, nowMs) => {
        const own = caller.kind === "key" ? keys.limitsOf(caller.slot) : undefined;
        return caller.kind !== "key" || own === undefined
          ? undefined
          : limits.principals.begin(caller.slot, own, nowMs);
      },
    },
    authorizer: {
      allows: (caller, action, target) =>
        target === undefined
          ? allowsSome(rightsOf(caller, sets), action)
          : allows(rightsOf(caller, sets), action, target),
    },
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
