import { AppError } from "#platform/lib/error.ts";

const MOST = 1000;

interface Page<Item> {
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/**
 * One page of a list (https://docs.anthropic.com/en/api/models-list): `limit` (1 to 1000, the most when none is given,
 * so that a client that does not turn pages sees them all), behind `after_id` or before `before_id`.
 * Throws AppError 400 for a limit out of range, for both ids at once, and for one that the list does not hold.
 */
export function modelPage<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
): Page<Item> {
  const limit = limitOf(query);
  const after = query.get("after_id");
  const before = query.get("before_id");
  if (after !== null && before !== null)
    throw new AppError("bad_request", "Give after_id or before_id, not both.");
  if (before !== null) {
    const rest = items.slice(0, positionOf(items, before));
    return page(rest.slice(-limit), rest.length > limit);
  }
  const rest = after === null ? items : items.slice(positionOf(items, after) + 1);
  return page(rest.slice(0, limit), rest.length > limit);
}

function page<Item extends { readonly id: string }>(data: readonly Item[], hasMore: boolean): Page<Item> {
  return { data, has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

function limitOf(query: URLSearchParams): number {
  const text = query.get("limit");
  if (text === null) return MOST;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST) throw new AppError("bad_request", `limit is a number from 1 to ${MOST}.`);
  return limit;
}

function positionOf(items: readonly { readonly id: string }[], id: string): number {
  const position = items.findIndex((item) => item.id === id);
  if (position < 0) throw new AppError("bad_request", "The list holds no model of that id.");
  return position;
}
