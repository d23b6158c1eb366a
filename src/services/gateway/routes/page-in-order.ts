import { AppError } from "#platform/lib/error.ts";

/** One page of a list that has an order of its own; the cursor is the id of the last one seen. Throws AppError `bad_request`. */
export function pageInOrder<Row>(
  rows: readonly Row[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  idOf: (row: Row) => string,
): { data: Row[]; next_cursor: string | null } {
  const seen = cursor === undefined ? -1 : rows.findIndex((row) => idOf(row) === cursor);
  if (cursor !== undefined && seen === -1)
    throw new AppError(
      "bad_request",
      "cursor is not one of this list: give the next_cursor of an answer as it is, with the sort of that request.",
    );
  const data = rows.slice(seen + 1, seen + 1 + limit);
  const last = seen + 1 + limit < rows.length ? data.at(-1) : undefined;
  return { data, next_cursor: last === undefined ? null : idOf(last) };
}
