import { type RawBuilder, sql } from "kysely";
import { type SortPlace, sortOf, sortWords } from "#platform/lib/sorted-page.ts";
import type { Query } from "#platform/storage/database.ts";
import { LISTED, type ListedKey } from "../store.ts";

/** How a list of keys can be sorted. Those without a value come last, whichever way. */
export const KEY_SORTS = sortWords(["name", "created_at", "last_used_at", "expires_at"]);
export type KeySort = (typeof KEY_SORTS)[number];

/** Whether a key lets anybody in, and if not why; one that was replaced still does until it ends. */
export const KEY_STATES = ["in_force", "replaced", "expired", "revoked"] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** The column in the store that has an index for each order. */
const COLUMNS = {
  name: "lower_name",
  created_at: "created_at",
  last_used_at: "last_used_at",
  expires_at: "expires_at",
} as const;

/** Which keys are looked for. */
export interface KeyFilter {
  readonly state?: KeyState | undefined;
  /** A part of the name or of the id, or how the key's text begins, in whichever case. */
  readonly search?: string | undefined;
}

/** One index from a place on: the keys that have a value in the column, or those that have none. */
export interface Stretch {
  readonly column: keyof typeof COLUMNS;
  readonly isDescending: boolean;
  readonly isOfNone: boolean;
  readonly after: SortPlace | undefined;
}

/** The stretches of an order from a place on, one after another. */
export function stretchesOf(sort: KeySort, after: SortPlace | undefined): Stretch[] {
  const { column, isDescending } = sortOf(sort);
  const valued = { column, isDescending, isOfNone: false, after };
  if (column === "name" || column === "created_at") return [valued];
  const none = { ...valued, isOfNone: true, after: after?.value === null ? after : undefined };
  return after?.value === null ? [none] : [valued, none];
}

export function placeIn({ column, isOfNone }: Stretch, key: ListedKey): SortPlace {
  if (isOfNone) return { value: null, id: key.id };
  return { value: column === "name" ? key.name.toLowerCase() : key[column], id: key.id };
}

/** At most `limit` keys of a stretch that fit, none of them beyond `until`. */
export async function keysOf(
  query: Query,
  stretch: Stretch,
  wanted: {
    readonly until: SortPlace | undefined;
    readonly filter: KeyFilter;
    readonly nowMs: number;
    readonly limit: number;
  },
): Promise<ListedKey[]> {
  const { until, filter, nowMs, limit } = wanted;
  const tests = [
    ...within(stretch),
    ...(until === undefined ? [] : [beside(stretch, stretch.isDescending ? ">=" : "<=", until)]),
    ...(filter.state === undefined ? [] : [isIn(filter.state, nowMs)]),
    ...(filter.search === undefined ? [] : [hasPart(filter.search.toLowerCase())]),
  ];
  const columns = sql.join(LISTED.map((name) => sql.ref(name)));
  const { rows } = await sql<ListedKey>`SELECT ${columns} FROM api_key
    WHERE ${sql.join(tests, sql` AND `)} ORDER BY ${orderOf(stretch)} LIMIT ${limit}`.execute(query);
  return rows;
}

/** The place that is so many keys further in a stretch; undefined where it ends before. */
export async function placeAhead(
  query: Query,
  stretch: Stretch,
  keys: number,
): Promise<SortPlace | undefined> {
  const value = stretch.isOfNone ? sql`NULL` : sql.ref(COLUMNS[stretch.column]);
  const { rows } = await sql<SortPlace>`SELECT ${value} AS value, id FROM api_key
    WHERE ${sql.join(within(stretch), sql` AND `)} ORDER BY ${orderOf(stretch)} LIMIT 1 OFFSET ${keys - 1}`.execute(
    query,
  );
  return rows[0];
}

function within(stretch: Stretch): RawBuilder<unknown>[] {
  const { column, isOfNone, isDescending, after } = stretch;
  const value = sql.ref(COLUMNS[column]);
  return [
    // Not `IS NOT NULL`, for which no index is used; no time is before 1970.
    isOfNone ? sql`${value} IS NULL` : column === "name" ? sql`TRUE` : sql`${value} >= 0`,
    ...(after === undefined ? [] : [beside(stretch, isDescending ? "<" : ">", after)]),
  ];
}

/** On which side of a place, which may itself belong to it. */
function beside(
  stretch: Stretch,
  side: "<" | ">" | "<=" | ">=",
  { value, id }: SortPlace,
): RawBuilder<unknown> {
  const operator = sql.raw(side);
  if (stretch.isOfNone) return sql`id ${operator} ${id}`;
  return sql`(${sql.ref(COLUMNS[stretch.column])}, id) ${operator} (${value}, ${id})`;
}

function orderOf({ column, isOfNone, isDescending }: Stretch): RawBuilder<unknown> {
  const direction = sql.raw(isDescending ? "DESC" : "ASC");
  if (isOfNone) return sql`id ${direction}`;
  return sql`${sql.ref(COLUMNS[column])} ${direction}, id ${direction}`;
}

function isIn(state: KeyState, nowMs: number): RawBuilder<unknown> {
  const lives = sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${nowMs})`;
  switch (state) {
    case "in_force":
      return sql`${lives} AND replaced_by IS NULL`;
    case "replaced":
      return sql`${lives} AND replaced_by IS NOT NULL`;
    case "expired":
      return sql`revoked_at IS NULL AND expires_at <= ${nowMs}`;
    case "revoked":
      return sql`revoked_at IS NOT NULL`;
    default:
      return state satisfies never;
  }
}

/** Of an id the part after `key_` stands in the key's text, after `sk-claviger-`. */
function hasPart(text: string): RawBuilder<unknown> {
  const inId = text.replace(/^sk-claviger-/, "key_");
  return sql`(instr(lower_name, ${text}) > 0 OR instr(lower(id), ${inId}) > 0)`;
}
