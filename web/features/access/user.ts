import { isProblem } from "#lib/api-problem.ts";
import type { Schemas } from "#lib/api-types.ts";
import { fieldErrors } from "#lib/form-errors.ts";

export type User = Schemas["User"];

export const SUPERADMIN = "superadmin";

/** Whether `user` is the one superadmin there is: then the server neither removes nor demotes him. */
export function isLastOf(superadmins: readonly User[], user: User): boolean {
  return superadmins.length === 1 && superadmins[0]?.id === user.id;
}

/** What the server found wrong with a user, by the field of the form; null where it is of none of `fields`. */
export function userFieldErrors(error: unknown, fields: readonly string[]): Record<string, string> | null {
  const at = (field: string) =>
    isProblem(error) && fields.includes(field) ? { [field]: error.message } : null;
  if (isProblem(error, "conflict")) return at("username");
  if (isProblem(error, "weak_password")) return at("password");
  if (isProblem(error, "exceeds_own_rights", "last_superadmin")) return at("permissions");
  if (isProblem(error, "bad_request") && error.message.startsWith("There is no permission set"))
    return at("permissions");
  return fieldErrors(error, fields);
}
