import { type RawBuilder, sql } from "kysely";
import type { Query } from "./database.ts";
import { type PackedBytes, packBytes } from "./packed-bytes.ts";

/** A column of bytes, and the primary key of its table. */
export interface BytesColumn {
  readonly table: string;
  readonly column: string;
  /** The name of the primary key's one column. */
  readonly key: string;
}

export interface StoredBytes {
  readonly key: string | number;
  readonly bytes: Uint8Array;
}

/** Values that `replaceBytes` takes at once: nothing else gets at the database meanwhile. */
export const MOST_AT_ONCE = 256;

/** Up to `limit` values in the order of their keys, from behind `after`; those that begin with `unlessStart` are left out. */
export async function readBytes(
  query: Query,
  at: BytesColumn,
  from: { after: string | number | undefined; limit: number; unlessStart: Uint8Array | undefined },
): Promise<readonly StoredBytes[]> {
  const [key, column] = [sql.ref(at.key), sql.ref(at.column)];
  const behind = from.after === undefined ? sql`` : sql`AND ${key} > ${from.after}`;
  const { rows } = await sql<StoredBytes>`
    SELECT ${key} AS key, ${column} AS bytes FROM ${sql.table(at.table)}
    WHERE ${column} IS NOT NULL ${unlessStart(at, from.unlessStart)} ${behind}
    ORDER BY ${key} LIMIT ${from.limit}`.execute(query);
  return rows;
}

/** Every column of the row of this primary key; undefined where there is none. */
export async function readRow(
  query: Query,
  at: BytesColumn,
  key: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await sql<Record<string, unknown>>`
    SELECT * FROM ${sql.table(at.table)} WHERE ${sql.ref(at.key)} = ${key}`.execute(query);
  return rows[0];
}

/** The primary key of every row, as text. */
export async function readKeys(query: Query, at: BytesColumn): Promise<readonly string[]> {
  const { rows } = await sql<{ key: string | number }>`
    SELECT ${sql.ref(at.key)} AS key FROM ${sql.table(at.table)}`.execute(query);
  return rows.map(({ key }) => String(key));
}

/** Puts a value into the row of this primary key, whatever is there. */
export async function putBytes(query: Query, at: BytesColumn, key: string, bytes: Uint8Array): Promise<void> {
  await sql`
    UPDATE ${sql.table(at.table)} SET ${sql.ref(at.column)} = ${bytes} WHERE ${sql.ref(at.key)} = ${key}`.execute(
    query,
  );
}

/** How many values there are; those that begin with `start` are not counted. */
export async function countBytes(
  query: Query,
  at: BytesColumn,
  start: Uint8Array | undefined,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${sql.table(at.table)}
    WHERE ${sql.ref(at.column)} IS NOT NULL ${unlessStart(at, start)}`.execute(query);
  return rows[0]?.count ?? 0;
}

/**
 * Puts `to` where `from` still is; a row that holds something else by now is left alone. Gives how many were replaced.
 * All of them in one statement, of `MOST_AT_ONCE` changes at most.
 */
export async function replaceBytes(
  query: Query,
  at: BytesColumn,
  changes: readonly { readonly key: string | number; readonly from: Uint8Array; readonly to: Uint8Array }[],
): Promise<number> {
  if (changes.length === 0) return 0;
  // Packed, and the statement one for all numbers of them: to hand hundreds of parameters over costs more than the rest.
  const [from, to] = [packBytes(changes.map((one) => one.from)), packBytes(changes.map((one) => one.to))];
  const [fromStart, toStart] = [startsOf(from), startsOf(to)];
  const places = changes.map(({ key }, at) => [
    key,
    fromStart[at],
    from.lengths[at],
    toStart[at],
    to.lengths[at],
  ]);
  // The plus signs keep SQLite from an index of its own over the changes, and so from reading the whole table.
  const { numAffectedRows } = await sql`
    WITH change (at, before, after) AS (
      SELECT value ->> 0, ${pieceOf(from, sql`value ->> 1, value ->> 2`)}, ${pieceOf(to, sql`value ->> 3, value ->> 4`)}
      FROM json_each(${JSON.stringify(places)}))
    UPDATE ${sql.table(at.table)} SET ${sql.ref(at.column)} = change.after FROM change
    WHERE ${sql.ref(`${at.table}.${at.key}`)} = +change.at
    AND ${sql.ref(`${at.table}.${at.column}`)} = +change.before`.execute(query);
  return Number(numAffectedRows ?? 0n);
}

/** Where each begins, as SQLite counts: from 1. */
function startsOf({ lengths }: PackedBytes): number[] {
  let end = 1;
  return lengths.map((length) => {
    end += length;
    return end - length;
  });
}

/** SQLite takes a piece of no bytes at all for NULL. */
function pieceOf({ bytes }: PackedBytes, place: RawBuilder<unknown>) {
  return sql`coalesce(substr(${bytes}, ${place}), x'')`;
}

function unlessStart(at: BytesColumn, start: Uint8Array | undefined) {
  if (start === undefined) return sql``;
  return sql`AND substr(${sql.ref(at.column)}, 1, ${start.length}) <> ${start}`;
}
