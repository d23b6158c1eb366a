import { exceeds, type PermissionSets, rightsOf, setsNamed } from "#gates/access/index.ts";
import type { Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import { matchesSome } from "#platform/lib/glob-list.ts";
import type { Grant } from "./grants.ts";

type Rights = ReturnType<typeof rightsOf>;
type Held = Pick<Grant, "permissionSets" | "models">;

/**
 * Throws AppError `exceeds_own_rights` when the key that is to be would hold more than the caller, `bad_request` when
 * one of its sets does not exist.
 */
export function refuseMoreThanOwn(caller: Caller, wanted: Held, sets: PermissionSets): void {
  refuse(caller, { rights: setsNamed(wanted.permissionSets, sets), models: wanted.models }, sets);
}

/** Throws AppError `exceeds_own_rights` when a key that is there holds more than the caller. */
export function refuseMightier(caller: Caller, held: Held, sets: PermissionSets): void {
  const rights = rightsOf({ kind: "key", id: "", slot: 0, permissionSets: held.permissionSets }, sets);
  refuse(caller, { rights, models: held.models }, sets);
}

function refuse(
  caller: Caller,
  wanted: { readonly rights: Rights; readonly models: Grant["models"] },
  sets: PermissionSets,
): void {
  if (exceeds(rightsOf(caller, sets), wanted.rights) || exceedsModels(caller, wanted.models))
    throw new AppError("exceeds_own_rights");
}

/** Who is for some models alone hands out no others. */
function exceedsModels(caller: Caller, wanted: Grant["models"]): boolean {
  const own = caller.kind === "key" ? caller.models : undefined;
  if (own === undefined) return false;
  return wanted === undefined || !wanted.every((pattern) => matchesSome(own, pattern));
}
