import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

type Asked = Pick<Operations["GET /api/v1/providers"]["query"], "sort" | "search">;

/** The providers, those of the file first unless a sort is asked for. */
export function listProviders() {
  return pagesOf(["providers"], ({ cursor, signal }) =>
    call("GET /api/v1/providers", { query: { cursor }, signal }),
  );
}

/** Those with this text in their names or base URLs. Whatever makes the list of all stale makes this one stale. */
export function searchProviders({ sort, search }: Asked) {
  return pagesOf(
    [...listProviders().queryKey, { search }],
    ({ cursor, signal }) => call("GET /api/v1/providers", { query: { cursor, sort, search }, signal }),
    sort ?? "",
  );
}
