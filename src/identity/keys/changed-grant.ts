import { type KeyLimits, keyLimits } from "#gates/ratelimit/index.ts";
import type { Grant } from "./grants.ts";
import type { ChangedKeyTerms } from "./key-terms.ts";

/** The grant after a change: what is absent stays, null removes, of limits each by itself. */
export function changedGrant(held: Grant, change: ChangedKeyTerms): Grant {
  return {
    permissionSets: change.permissions ?? held.permissionSets,
    limits: change.limits === null ? {} : changedLimits(held.limits, change.limits ?? {}),
    models: change.models === undefined ? held.models : (change.models ?? undefined),
    allowedIps: change.allowed_ips === undefined ? held.allowedIps : (change.allowed_ips ?? undefined),
  };
}

function changedLimits(held: KeyLimits, change: NonNullable<ChangedKeyTerms["limits"]>): KeyLimits {
  const all = Object.entries({ ...held, ...change });
  return keyLimits.parse(
    Object.fromEntries(all.filter(([, limit]) => limit !== null && limit !== undefined)),
  );
}
