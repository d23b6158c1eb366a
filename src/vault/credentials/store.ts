import type { Insertable, Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

export async function credentialRows(
  query: Query,
  providerId: string,
): Promise<Selectable<Tables["credential"]>[]> {
  return query
    .selectFrom("credential")
    .selectAll()
    .where("provider_id", "=", providerId)
    .orderBy("position")
    .execute();
}

export async function insertCredential(query: Query, row: Insertable<Tables["credential"]>): Promise<void> {
  await query.insertInto("credential").values(row).execute();
}

export async function deleteCredentials(query: Query, providerId: string): Promise<void> {
  await query.deleteFrom("credential").where("provider_id", "=", providerId).execute();
}
