import { sql } from "kysely";
import type { Query } from "./database.ts";

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

/** Values that `replaceBytes` takes at once; each is three parameters, and SQLite takes 32,766. */
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
  // The plus signs keep SQLite from an index of its own over the changes, and so from reading the whole table.
  const rows = sql.join(changes.map(({ key, from, to }) => sql`(${key}, ${from}, ${to})`));
  const { numAffectedRows } = await sql`
    WITH change (at, before, after) AS (VALUES ${rows})
    UPDATE ${sql.table(at.table)} SET ${sql.ref(at.column)} = change.after FROM change
    WHERE ${sql.ref(`${at.table}.${at.key}`)} = +change.at
    AND ${sql.ref(`${at.table}.${at.column}`)} = +change.before`.execute(query);
  return Number(numAffectedRows ?? 0n);
}

function unlessStart(at: BytesColumn, start: Uint8Array | undefined) {
  if (start === undefined) return sql``;
  return sql`AND substr(${sql.ref(at.column)}, 1, ${start.length}) <> ${start}`;
}
