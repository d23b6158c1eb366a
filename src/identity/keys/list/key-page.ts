import { readSortCursor, type SortPlace, toSortCursor } from "#platform/lib/sorted-page.ts";
import type { Query } from "#platform/storage/database.ts";
import type { ListedKey } from "../store.ts";
import {
  type KeyFilter,
  type KeySort,
  keysOf,
  placeAhead,
  placeIn,
  type Stretch,
  stretchesOf,
} from "./store.ts";

/** Where few of the keys are visible, this many are read together. */
const READ_AT_ONCE = 500;
/** Where few of them fit, one statement looks through this many: a few milliseconds, which nothing else waits for longer. */
const LOOKED_THROUGH_AT_ONCE = 5000;

/** Which page of which keys. */
export interface KeyQuestion extends KeyFilter {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** By their making, the newest first, unless given. */
  readonly sort?: KeySort | undefined;
}

interface Sought {
  readonly question: KeyQuestion;
  readonly nowMs: number;
  readonly visible: (key: ListedKey) => boolean;
}

/** One page of the visible keys, and the cursor of the next. Throws AppError `bad_request` for a cursor of another order. */
export async function pageOfKeys(
  query: Query,
  sought: Sought,
): Promise<{ keys: ListedKey[]; nextCursor: string | null }> {
  const { limit, cursor, sort = "-created_at" } = sought.question;
  const after = cursor === undefined ? undefined : readSortCursor(cursor, sort);
  const found: { key: ListedKey; place: SortPlace }[] = [];
  for (const stretch of stretchesOf(sort, after)) {
    const wanted = limit + 1 - found.length;
    if (wanted <= 0) break;
    for (const key of await visibleOf(query, stretch, sought, wanted))
      found.push({ key, place: placeIn(stretch, key) });
  }
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return {
    keys: page.map(({ key }) => key),
    nextCursor: last === undefined ? null : toSortCursor(last.place, sort),
  };
}

/** The first keys of a stretch that fit and are visible, `wanted` of them at least where there are so many. */
async function visibleOf(
  query: Query,
  stretch: Stretch,
  { question: { state, search }, nowMs, visible }: Sought,
  wanted: number,
): Promise<ListedKey[]> {
  const isFiltered = state !== undefined || search !== undefined;
  const found: ListedKey[] = [];
  let rest = stretch;
  for (let limit = wanted; ; limit = READ_AT_ONCE) {
    const until = isFiltered ? await placeAhead(query, rest, LOOKED_THROUGH_AT_ONCE) : undefined;
    const rows = await keysOf(query, rest, { until, filter: { state, search }, nowMs, limit });
    found.push(...rows.filter(visible));
    const last = rows.at(-1);
    const isFull = rows.length === limit && last !== undefined;
    if (found.length >= wanted || !(isFull || until !== undefined)) return found;
    rest = { ...rest, after: isFull ? placeIn(stretch, last) : until };
  }
}
