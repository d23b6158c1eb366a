import type { Query } from "#platform/storage/database.ts";

/** The sealed copy of a process secret; undefined where there is none. */
export async function travellingSecret(query: Query, name: string): Promise<Uint8Array | undefined> {
  const row = await query
    .selectFrom("travelling_secret")
    .select("sealed")
    .where("name", "=", name)
    .executeTakeFirst();
  return row?.sealed;
}

/** Stores the sealed copy of a process secret, in place of an older one. */
export async function putTravellingSecret(
  query: Query,
  row: { readonly name: string; readonly sealed: Uint8Array },
): Promise<void> {
  await query
    .insertInto("travelling_secret")
    .values(row)
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ sealed: row.sealed }))
    .execute();
}

/** Forgets a fact of the store, by its whole name. */
export async function dropMeta(query: Query, name: string): Promise<void> {
  await query.deleteFrom("meta").where("name", "=", name).execute();
}

/** Revokes every API key that is not revoked yet: who holds the backup may hold the keys too. */
export async function revokeEveryKey(query: Query, revokedAt: number): Promise<void> {
  await query.updateTable("api_key").set({ revoked_at: revokedAt }).where("revoked_at", "is", null).execute();
}

/** Ends the sessions of all users: whoever holds the backup may hold their cookies, too. */
export async function endEverySession(query: Query): Promise<void> {
  await query.deleteFrom("session").execute();
}
