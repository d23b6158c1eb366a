import { type RawBuilder, sql } from "kysely";
import type { Query } from "./database.ts";

/** Rows that one statement removes, and entries that one counts: a few milliseconds each. */
const ROWS_AT_ONCE = 200;
const COUNTED_AT_ONCE = 5000;

/** A table whose rows are kept for a time, and up to a size. */
export interface KeptTable {
  readonly table: string;
  /** The columns that name one row. */
  readonly key: readonly string[];
  /** Whose rows are meant, where the table holds several kinds: the first column of an index, and what stands there. */
  readonly among?: readonly [column: string, value: number];
  /** The column of when a row is of: the first of an index, or the next behind that of `among`. */
  readonly time: string;
  /** What one of `time` is, in milliseconds. */
  readonly unitMs: number;
  /** What a row takes on the disk with its share of the indexes, measured. */
  readonly rowBytes: number;
  /** Whose settings say how long and how much. */
  readonly keptAs: "request_log" | "usage";
}

/** Where rows that exceed `maxRows` end: they are of before this, in the unit of the table. Undefined where all fit. */
export async function placeOfLast(
  query: Query,
  { table, time, among }: KeptTable,
  maxRows: number,
): Promise<number | undefined> {
  const [rows, column] = [sql.table(table), sql.ref(time)];
  const ours = isAmong(among);
  let before: RawBuilder<unknown> = sql`TRUE`;
  for (let left = maxRows; ; ) {
    const step = Math.min(left, COUNTED_AT_ONCE);
    const found = await sql<{
      place: number;
    }>`SELECT ${column} AS place FROM ${rows} WHERE ${ours} AND ${before}
      ORDER BY ${column} DESC LIMIT 1 OFFSET ${step - 1}`.execute(query);
    const place = found.rows[0]?.place;
    if (place === undefined) return undefined;
    // Of one moment there may be many: all of them count, and stay or go together.
    const counted = await sql<{ rows: number }>`SELECT count(*) AS rows FROM ${rows}
      WHERE ${ours} AND ${column} >= ${place} AND ${before}`.execute(query);
    left -= counted.rows[0]?.rows ?? step;
    if (left <= 0) return place;
    before = sql`${column} < ${place}`;
  }
}

/** Removes a few rows of before `place`, the oldest; gives how many. 0: none is left. */
export async function deleteOldest(
  query: Query,
  { table, time, key, among }: KeptTable,
  place: number,
): Promise<number> {
  const names = sql.join(key.map((column) => sql.ref(column)));
  const result = await sql`DELETE FROM ${sql.table(table)} WHERE (${names}) IN
    (SELECT ${names} FROM ${sql.table(table)} WHERE ${isAmong(among)} AND ${sql.ref(time)} < ${place}
     ORDER BY ${sql.ref(time)} LIMIT ${ROWS_AT_ONCE})`.execute(query);
  return Number(result.numAffectedRows ?? 0);
}

function isAmong(among: KeptTable["among"]): RawBuilder<unknown> {
  return among === undefined ? sql`TRUE` : sql`${sql.ref(among[0])} = ${among[1]}`;
}
