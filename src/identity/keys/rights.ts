import { exceedsOwn, type PermissionSets, setsNamed } from "#gates/access/index.ts";
import type { Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import { matchesSome } from "#platform/lib/glob-list.ts";
import type { Grant } from "./grants.ts";

type Held = Pick<Grant, "permissionSets" | "models">;

/**
 * Throws AppError `exceeds_own_rights` when the key that is to be would hold more than the caller, `bad_request` when
 * one of its sets does not exist.
 */
export function refuseMoreThanOwn(caller: Caller, wanted: Held, sets: PermissionSets): void {
  setsNamed(wanted.permissionSets, sets);
  refuseMightier(caller, wanted, sets);
}

/** Throws AppError `exceeds_own_rights` when a key that is there holds more than the caller. */
export function refuseMightier(caller: Caller, { permissionSets, models }: Held, sets: PermissionSets): void {
  if (exceedsOwn(caller, permissionSets, sets) || exceedsModels(caller, models))
    throw new AppError("exceeds_own_rights");
}

/** Who is for some models alone hands out no others. */
function exceedsModels(caller: Caller, wanted: Grant["models"]): boolean {
  const own = caller.kind === "key" ? caller.models : undefined;
  if (own === undefined) return false;
  return wanted === undefined || !wanted.every((pattern) => matchesSome(own, pattern));
}
