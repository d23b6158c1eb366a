import type { Insertable, Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";
import type { SealedColumn } from "#vault/seal/index.ts";

/** Where this room keeps sealed values. */
export const SEALED_CREDENTIALS: readonly SealedColumn[] = [
  { table: "credential", column: "sealed", key: "id", writtenWith: ["hint", "created_at"] },
  {
    table: "named_credential",
    column: "sealed",
    key: "name",
    writtenWith: ["hint", "created_at", "updated_at"],
  },
];

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

export type NamedRow = Selectable<Tables["named_credential"]>;

export async function namedRows(query: Query): Promise<NamedRow[]> {
  return query.selectFrom("named_credential").selectAll().orderBy("name").execute();
}

export async function namedRow(query: Query, name: string): Promise<NamedRow | undefined> {
  return query.selectFrom("named_credential").selectAll().where("name", "=", name).executeTakeFirst();
}

/** Stores a secret under its name, in place of an older one. */
export async function putNamed(query: Query, row: Insertable<Tables["named_credential"]>): Promise<void> {
  const { name, created_at, ...changed } = row;
  await query
    .insertInto("named_credential")
    .values({ name, created_at, ...changed })
    .onConflict((conflict) => conflict.column("name").doUpdateSet(changed))
    .execute();
}

/** Binds a secret that is bound to nothing yet. */
export async function bindNamed(
  query: Query,
  name: string,
  to: { origin: string; proxy: string | null },
): Promise<void> {
  await query
    .updateTable("named_credential")
    .set(to)
    .where("name", "=", name)
    .where("origin", "is", null)
    .execute();
}

/** Whether there was one. */
export async function deleteNamed(query: Query, name: string): Promise<boolean> {
  const { numDeletedRows } = await query
    .deleteFrom("named_credential")
    .where("name", "=", name)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
