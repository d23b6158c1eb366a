import { type RawBuilder, type Selectable, sql } from "kysely";
import { timeOfRequestId } from "#platform/lib/id.ts";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";
import { HOUR_MS, INDEXED, readProgress } from "../sums/store.ts";

type StoredRow = Selectable<Tables["request"]>;

/** The place of a row in the list: threads write their rows in turns, so the number alone is no order in time. */
export interface RowPlace {
  /** When the request came, milliseconds since the epoch. */
  readonly time: number;
  readonly seq: number;
}

/** What rows are wanted; whatever is left out does not matter. */
export interface RowFilter {
  readonly requestId?: string | undefined;
  readonly principal?: string | undefined;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** The lowest and the highest that is wanted. */
  readonly status?: { readonly least: number; readonly most: number } | undefined;
  readonly from?: number | undefined;
  /** Not part of it. */
  readonly to?: number | undefined;
}

/** One list of rows, whole. */
export interface RowList {
  readonly filter: RowFilter;
  readonly order: "newest" | "oldest";
}

interface Wanted extends RowList {
  readonly limit: number;
  /** The last row already seen. */
  readonly after: RowPlace | undefined;
}

/** Hours looked through by one statement; each further one takes four times as many. Other work comes in between. */
const FIRST_HOURS = 6;
const MOST_HOURS = 384;

/**
 * In their order. Rows that a value is asked of are found by the index, hour for hour from where the list begins; those not
 * in it yet are read through, and a row whose id tells its time is found by that. Without such a value all rows of the time are read in order.
 */
export async function requestRows(query: Query, wanted: Wanted): Promise<StoredRow[]> {
  const { unsummed } = await readProgress(query);
  const found = new Map<number, StoredRow>();
  // First those that are not in the index: one that comes into it meanwhile is found twice, and none is missed.
  for (const row of await newRows(query, wanted)) found.set(row.seq, row);
  for (const row of await rowsOfTheirTime(query, wanted)) found.set(row.seq, row);
  const indexed = new Set<number>();
  const onward = wanted.order === "oldest" ? 1 : -1;
  let hours = FIRST_HOURS;
  let hour = await hourWithRow(query, wanted, wanted.after?.time);
  while (hour !== undefined && indexed.size < wanted.limit) {
    const end = hour + onward * (hours - 1);
    const span = { first: Math.min(hour, end), last: Math.max(hour, end), unsummed };
    for (const row of await rowsOfHours(query, wanted, span)) {
      indexed.add(row.seq);
      found.set(row.seq, row);
    }
    hour = await hourWithRow(query, wanted, onward === 1 ? (end + 1) * HOUR_MS : end * HOUR_MS - 1);
    if (unsummed === 0) hours = Math.min(hours * 4, MOST_HOURS);
  }
  return [...found.values()]
    .sort((one, other) => onward * (one.time - other.time || one.seq - other.seq))
    .slice(0, wanted.limit);
}

/** What leads to rows: the value that likely fewest have. */
interface Entry {
  readonly kind: number;
  readonly value: RawBuilder<unknown>;
}

function entryOf({ requestId, principal, provider, model, status }: RowFilter): Entry | undefined {
  if (requestId !== undefined) return { kind: INDEXED.request_id, value: sql`value = ${requestId}` };
  if (status !== undefined && status.least > 200)
    return {
      kind: INDEXED.status,
      value: sql`value BETWEEN ${String(status.least)} AND ${String(status.most)}`,
    };
  if (principal !== undefined) return { kind: INDEXED.principal, value: sql`value = ${principal}` };
  if (model !== undefined) return { kind: INDEXED.model, value: sql`value = ${model}` };
  if (provider !== undefined) return { kind: INDEXED.provider, value: sql`value = ${provider}` };
  return undefined;
}

/** The hour of the first row from this moment on, or from the beginning of the list; undefined behind its end. */
async function hourWithRow(
  query: Query,
  { order, filter: { from = 0, to = Number.MAX_SAFE_INTEGER } }: RowList,
  moment: number | undefined,
): Promise<number | undefined> {
  const nearest =
    order === "oldest"
      ? sql`min(time) / ${HOUR_MS} AS hour FROM request WHERE time >= ${Math.max(moment ?? 0, from)} AND time < ${to}`
      : sql`max(time) / ${HOUR_MS} AS hour FROM request WHERE time <= ${Math.min(moment ?? to, to)} AND time >= ${from}`;
  const { rows } = await sql<{ hour: number | null }>`SELECT ${nearest}`.execute(query);
  return rows[0]?.hour ?? undefined;
}

/** The way a list goes, for both parts of a place. */
function inOrder({ order }: RowList, time: string, seq: string): RawBuilder<unknown> {
  const way = order === "oldest" ? sql`ASC` : sql`DESC`;
  return sql`ORDER BY ${sql.ref(time)} ${way}, ${sql.ref(seq)} ${way}`;
}

/** Of the rows that no sum and no index has yet. */
async function newRows(query: Query, wanted: Wanted): Promise<StoredRow[]> {
  const { rows } = await sql<StoredRow>`
    SELECT * FROM request NOT INDEXED WHERE seq > (SELECT summed FROM usage_progress) AND ${matches(wanted)}
    ${inOrder(wanted, "time", "seq")} LIMIT ${wanted.limit}`.execute(query);
  return rows;
}

/** Of the time that the wanted id tells, where it looks like one that was made here: it may still be a client's own. */
async function rowsOfTheirTime(query: Query, wanted: Wanted): Promise<StoredRow[]> {
  const timeMs = timeOfRequestId(wanted.filter.requestId ?? "");
  if (timeMs === undefined) return [];
  const { rows } = await sql<StoredRow>`
    SELECT * FROM request WHERE time = ${timeMs} AND ${matches(wanted)} ${inOrder(wanted, "time", "seq")}
    LIMIT ${wanted.limit}`.execute(query);
  return rows;
}

/** Of these hours, without the rows that no index has yet because they are new. */
async function rowsOfHours(
  query: Query,
  wanted: Wanted,
  { first, last, unsummed }: { first: number; last: number; unsummed: number },
): Promise<StoredRow[]> {
  const { filter, limit, order } = wanted;
  const times = sql`time >= ${first * HOUR_MS} AND time < ${(last + 1) * HOUR_MS}`;
  const plain = (rows: RawBuilder<unknown>) => sql<StoredRow>`
    SELECT * FROM request WHERE ${times} AND ${rows} AND ${matches(wanted)}
    ${inOrder(wanted, "time", "seq")} LIMIT ${limit}`;
  const entry = entryOf(filter);
  const summed = sql`seq <= (SELECT summed FROM usage_progress)`;
  if (entry === undefined) return (await plain(summed).execute(query)).rows;
  const hours = Array.from({ length: last - first + 1 }, (_, at) =>
    order === "oldest" ? first + at : last - at,
  );
  const { rows } = await sql<StoredRow>`
    SELECT request.* FROM json_each(${JSON.stringify(hours)}) AS hours CROSS JOIN request ON request.seq IN (
      SELECT request.seq FROM request_index AS entry CROSS JOIN request ON request.seq = entry.seq
      WHERE entry.hour = hours.value AND entry.kind = ${entry.kind} AND entry.${entry.value} AND ${alsoOf(filter, entry)}
        AND ${matches(wanted)}
      ${inOrder(wanted, "entry.at", "entry.seq")} LIMIT ${limit})
    ${inOrder(wanted, "time", "seq")} LIMIT ${limit}`.execute(query);
  if (unsummed === 0) return rows;
  return [...rows, ...(await plain(sql`seq <= ${unsummed}`).execute(query)).rows];
}

/** Of few rows with a status, those of a principal are told by the index: a row of long ago is farther away. */
function alsoOf({ principal }: RowFilter, { kind }: Entry): RawBuilder<unknown> {
  if (kind !== INDEXED.status || principal === undefined) return sql`TRUE`;
  return sql`EXISTS (SELECT 1 FROM request_index AS own WHERE own.hour = entry.hour AND own.kind = ${INDEXED.principal}
    AND own.value = ${principal} AND own.at = entry.at AND own.seq = entry.seq)`;
}

function matches({ filter, order, after }: Wanted): RawBuilder<unknown> {
  const { requestId, principal, provider, model, status, from, to } = filter;
  const beyond = order === "oldest" ? sql`>` : sql`<`;
  const conditions = [
    requestId === undefined ? undefined : sql`request.request_id = ${requestId}`,
    principal === undefined ? undefined : sql`request.principal = ${principal}`,
    provider === undefined ? undefined : sql`request.provider = ${provider}`,
    model === undefined ? undefined : sql`request.model = ${model}`,
    status === undefined ? undefined : sql`request.status BETWEEN ${status.least} AND ${status.most}`,
    from === undefined ? undefined : sql`request.time >= ${from}`,
    to === undefined ? undefined : sql`request.time < ${to}`,
    after === undefined
      ? undefined
      : sql`(request.time, request.seq) ${beyond} (${after.time}, ${after.seq})`,
  ].filter((condition) => condition !== undefined);
  return conditions.length === 0 ? sql`TRUE` : sql.join(conditions, sql` AND `);
}
