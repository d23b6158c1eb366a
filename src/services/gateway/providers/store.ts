import type { Insertable, Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

type ProviderRow = Selectable<Tables["provider"]>;

export async function providerRows(query: Query): Promise<ProviderRow[]> {
  return query.selectFrom("provider").selectAll().orderBy("position").execute();
}

export async function providerByName(query: Query, name: string): Promise<ProviderRow | undefined> {
  return query.selectFrom("provider").selectAll().where("name", "=", name).executeTakeFirst();
}

export async function insertRow(query: Query, row: Insertable<Tables["provider"]>): Promise<void> {
  await query.insertInto("provider").values(row).execute();
}

export async function updateRow(
  query: Query,
  id: string,
  change: { base_url: string; options: string; updated_at: number },
): Promise<void> {
  await query.updateTable("provider").set(change).where("id", "=", id).execute();
}

export async function deleteRow(query: Query, id: string): Promise<void> {
  await query.deleteFrom("provider").where("id", "=", id).execute();
}

export async function nextPosition(query: Query): Promise<number> {
  const row = await query
    .selectFrom("provider")
    .select(({ fn }) => fn.max("position").as("last"))
    .executeTakeFirst();
  return Number(row?.last ?? 0) + 1;
}
