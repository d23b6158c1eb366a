import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { type ChangeParts, changeEntry } from "./provider-changes.ts";

/** Seals a secret under its name, for the first declared provider that refers to it. Throws AppError `server_locked`. */
export async function setNamedCredential(
  parts: ChangeParts,
  { name, value }: { readonly name: string; readonly value: Secret },
  by: ChangeAuthor,
): Promise<void> {
  await parts.database.transaction(async (query) => {
    await parts.credentials.declared.set(query, name, value);
    await parts.audit.append(query, changeEntry(by, "credential.set", name));
  });
}

/** Removes a secret that no declared provider refers to. Throws AppError `not_found`, `credential_in_use`. */
export async function removeNamedCredential(
  parts: ChangeParts,
  name: string,
  by: ChangeAuthor,
): Promise<void> {
  const { declared } = parts.credentials;
  await parts.database.transaction(async (query) => {
    const was = await declared.remove(query, name);
    if (!was) throw new AppError("not_found", `There is no credential named ${name}.`);
    if (declared.usersOf(name).length > 0) throw new AppError("credential_in_use");
    await parts.audit.append(query, changeEntry(by, "credential.remove", name));
  });
}
