import type { Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

/** Newest first; `before` is the sequence number of the last row already seen. */
export async function requestRows(
  query: Query,
  page: { limit: number; before: number | undefined },
): Promise<Selectable<Tables["request"]>[]> {
  const rows = query.selectFrom("request").selectAll().orderBy("seq", "desc").limit(page.limit);
  return (page.before === undefined ? rows : rows.where("seq", "<", page.before)).execute();
}
