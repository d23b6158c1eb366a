import type { Query } from "#platform/storage/database.ts";

/** When each identity that ever was used was used last, in milliseconds since the Unix epoch, by its id. */
export async function identityUses(query: Query): Promise<ReadonlyMap<string, number>> {
  const rows = await query.selectFrom("identity_use").select(["id", "last_used_at"]).execute();
  return new Map(rows.map(({ id, last_used_at: usedAt }) => [id, usedAt]));
}

/** Notes the last use of these (one at least). */
export async function writeIdentityUses(
  query: Query,
  uses: readonly { readonly id: string; readonly last_used_at: number }[],
): Promise<void> {
  await query
    .insertInto("identity_use")
    .values([...uses])
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet(({ ref }) => ({ last_used_at: ref("excluded.last_used_at") })),
    )
    .execute();
}
