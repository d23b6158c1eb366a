import { AppError } from "./error.ts";

/** What a row is sorted by; null, for a figure that is not known, stands last whichever way. */
export type SortValue = string | number | null;

/** Where a page of a sorted list ended. */
export interface SortPlace {
  readonly value: SortValue;
  /** Of the last row: it decides between rows of one value. */
  readonly id: string;
}

/** Which page is asked for: `sort` is a column's name, with `-` before it for the largest first. */
export interface SortedQuestion<Column extends string> {
  readonly sort: Column | `-${Column}`;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * One page of a list that is held whole. Rows that come or go between two pages neither repeat nor hide another one, for
 * the cursor names a value and not a number of rows. Throws AppError `bad_request` for a cursor of another list.
 */
export function sortedPage<Row, Column extends string>(
  rows: readonly Row[],
  { sort, limit, cursor }: SortedQuestion<Column>,
  columns: Readonly<Record<Column, (row: Row) => SortValue>> & { readonly id: (row: Row) => string },
): { data: Row[]; next_cursor: string | null } {
  const { column, isDescending } = sortOf(sort);
  const placeOf = (row: Row): SortPlace => ({ value: columns[column](row), id: columns.id(row) });
  const after = cursor === undefined ? undefined : readSortCursor(cursor, sort);
  const found = rows
    .map((row) => ({ row, place: placeOf(row) }))
    .filter(({ place }) => after === undefined || compare(place, after, isDescending) > 0)
    .toSorted((a, b) => compare(a.place, b.place, isDescending));
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    data: page.map(({ row }) => row),
    next_cursor: last === undefined ? null : toSortCursor(last.place, sort),
  };
}

/** The words by which a list of these columns can be sorted: each column, and each with `-` for the largest first. */
export function sortWords<const Column extends string>(
  columns: readonly Column[],
): readonly (Column | `-${Column}`)[] {
  return columns.flatMap((column) => [column, `-${column}`] as const);
}

/** Whether any of these has `part` in it, in whichever case. */
export function hasText(part: string, ...texts: readonly string[]): boolean {
  const wanted = part.toLowerCase();
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** The two parts of the word by which a list is sorted. */
export function sortOf<Column extends string>(
  sort: Column | `-${Column}`,
): { readonly column: Column; readonly isDescending: boolean } {
  const isDescending = sort.startsWith("-");
  // The type says no more of a part of it.
  return { column: (isDescending ? sort.slice(1) : sort) as Column, isDescending };
}

/** A place as callers hand it on: opaque, and good for the list sorted like this alone. It tells nothing that the list does not. */
export function toSortCursor({ value, id }: SortPlace, sort: string): string {
  return Buffer.from(JSON.stringify([sort, value, id])).toString("base64url");
}

/** Throws AppError `bad_request` for anything but a cursor of this list. */
export function readSortCursor(cursor: string, sort: string): SortPlace {
  const [of, value, id] = parsed(Buffer.from(cursor, "base64url").toString());
  const isValue = value === null || typeof value === "string" || typeof value === "number";
  if (of === sort && isValue && typeof id === "string" && toSortCursor({ value, id }, sort) === cursor)
    return { value, id };
  throw new AppError(
    "bad_request",
    "cursor is not one of this list: give the next_cursor of an answer as it is, with the sort of that request.",
  );
}

function parsed(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function compare(a: SortPlace, b: SortPlace, isDescending: boolean): number {
  if (a.value !== b.value) {
    if (a.value === null) return 1;
    if (b.value === null) return -1;
    const order = isBefore(a.value, b.value) ? -1 : isBefore(b.value, a.value) ? 1 : 0;
    if (order !== 0) return isDescending ? -order : order;
  }
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** Words as a reader looks for them, capitals or not; the same words in the order of their code points. */
function isBefore(a: string | number, b: string | number): boolean {
  if (typeof a !== "string" || typeof b !== "string") return a < b;
  const [lowerA, lowerB] = [a.toLowerCase(), b.toLowerCase()];
  return lowerA === lowerB ? a < b : lowerA < lowerB;
}
