import type { Selectable } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

/** The place of a row in the list: threads write their rows in turns, so the number alone is no order in time. */
export interface RowPlace {
  /** When the request came, milliseconds since the epoch. */
  readonly time: number;
  readonly seq: number;
}

/** Newest first; `before` is the last row already seen. */
export async function requestRows(
  query: Query,
  page: { limit: number; before: RowPlace | undefined },
): Promise<Selectable<Tables["request"]>[]> {
  const { before, limit } = page;
  const rows = query
    .selectFrom("request")
    .selectAll()
    .orderBy("time", "desc")
    .orderBy("seq", "desc")
    .limit(limit);
  if (before === undefined) return rows.execute();
  return rows
    .where(({ eb, refTuple, tuple }) => eb(refTuple("time", "seq"), "<", tuple(before.time, before.seq)))
    .execute();
}
