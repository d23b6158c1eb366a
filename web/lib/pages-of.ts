import { infiniteQueryOptions, type QueryKey } from "@tanstack/react-query";

/** How every list of the API answers. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly next_cursor: string | null;
}

/** A list that is read page by page; `ask` gets the cursor, undefined for the first page. */
export function pagesOf<Answer extends Page<unknown>>(
  queryKey: QueryKey,
  ask: (at: { readonly cursor: string | undefined; readonly signal: AbortSignal }) => Promise<Answer>,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) => ask({ cursor: pageParam === "" ? undefined : pageParam, signal }),
    initialPageParam: "",
    getNextPageParam: (last: Answer) => last.next_cursor,
  });
}
