import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

/**
 * The models one may read, in the order of their providers unless a sort is asked for; the server asks its upstreams for lists
 * that are not fresh.
 */
export function listModels(wanted: {
  readonly provider?: string | undefined;
  readonly search?: string;
  readonly sort?: Operations["GET /api/v1/models"]["query"]["sort"];
}) {
  const { provider, search = "", sort } = wanted;
  return pagesOf(
    ["models", provider ?? "", search],
    ({ cursor, signal }) =>
      call("GET /api/v1/models", {
        query: { cursor, provider, sort, ...(search !== "" && { search }) },
        signal,
      }),
    sort ?? "",
  );
}
