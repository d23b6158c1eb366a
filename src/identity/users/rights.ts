import { exceeds, type PermissionSets, rightsOf, setsNamed } from "#gates/access/index.ts";
import type { Caller } from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";

/**
 * Throws AppError `exceeds_own_rights` when a user with these sets would hold more than the caller, `bad_request` when one
 * of them does not exist.
 */
export function refuseMoreThanOwn(caller: Caller, wanted: readonly string[], sets: PermissionSets): void {
  refuse(caller, setsNamed(wanted, sets), sets);
}

/** Throws AppError `exceeds_own_rights` when a user who is there holds more than the caller. */
export function refuseMightier(caller: Caller, held: readonly string[], sets: PermissionSets): void {
  // What no longer exists gives nothing.
  const known = held.filter((name) => sets.has(name));
  refuse(caller, known.length === held.length ? setsNamed(held, sets) : [], sets);
}

/** A key that is for some models alone makes nobody who is for all. */
function refuse(caller: Caller, wanted: ReturnType<typeof rightsOf>, sets: PermissionSets): void {
  const isNarrow = caller.kind === "key" && caller.models !== undefined;
  if (isNarrow || exceeds(rightsOf(caller, sets), wanted)) throw new AppError("exceeds_own_rights");
}
