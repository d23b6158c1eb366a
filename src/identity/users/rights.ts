import { exceedsOwn, type PermissionSets, setsNamed } from "#gates/access/index.ts";
import type { Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";

/**
 * Throws AppError `exceeds_own_rights` when a user with these sets would hold more than the caller, `bad_request` when one
 * of them does not exist.
 */
export function refuseMoreThanOwn(caller: Caller, wanted: readonly string[], sets: PermissionSets): void {
  setsNamed(wanted, sets);
  refuseMightier(caller, wanted, sets);
}

/** Throws AppError `exceeds_own_rights` when a user who is there holds more than the caller. */
export function refuseMightier(caller: Caller, held: readonly string[], sets: PermissionSets): void {
  // A key that is for some models alone makes nobody who is for all.
  const isNarrow = caller.kind === "key" && caller.models !== undefined;
  if (isNarrow || exceedsOwn(caller, held, sets)) throw new AppError("exceeds_own_rights");
}
