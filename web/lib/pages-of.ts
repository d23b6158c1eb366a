import { hashKey, infiniteQueryOptions, type QueryKey } from "@tanstack/react-query";

/** How every list of the API answers. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly next_cursor: string | null;
}

/**
 * A list that is read page by page; `ask` gets the cursor, undefined for the first page. While it is read in another `sort`
 * what was read before stays, so that the heading that was chosen keeps the focus.
 */
export function pagesOf<Answer extends Page<unknown>>(
  queryKey: QueryKey,
  ask: (at: { readonly cursor: string | undefined; readonly signal: AbortSignal }) => Promise<Answer>,
  sort?: string,
) {
  return infiniteQueryOptions({
    queryKey: sort === undefined ? queryKey : [...queryKey, { sort }],
    queryFn: ({ pageParam, signal }) => ask({ cursor: pageParam === "" ? undefined : pageParam, signal }),
    initialPageParam: "",
    getNextPageParam: (last: Answer) => last.next_cursor,
    placeholderData: (before, query) =>
      query !== undefined && hashKey(unsorted(query.queryKey)) === hashKey(queryKey) ? before : undefined,
  });
}

function unsorted(queryKey: QueryKey): QueryKey {
  const last = queryKey.at(-1);
  const isSort = typeof last === "object" && last !== null && "sort" in last;
  return isSort ? queryKey.slice(0, -1) : queryKey;
}
