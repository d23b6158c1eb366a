import type { Query } from "./database.ts";

/** Small facts about the store itself, by name; those whose name begins with `prefix`, without it. */
export async function readMeta(query: Query, prefix: string): Promise<Map<string, string>> {
  const rows = await query.selectFrom("meta").selectAll().where("name", "like", `${prefix}%`).execute();
  return new Map(rows.map(({ name, value }) => [name.slice(prefix.length), value]));
}

/** Sets facts, each named with `prefix` before it; one that stands is replaced. */
export async function writeMeta(
  query: Query,
  prefix: string,
  facts: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [name, value] of facts) {
    await query
      .insertInto("meta")
      .values({ name: prefix + name, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
  }
}
