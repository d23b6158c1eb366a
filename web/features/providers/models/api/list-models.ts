import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** The models one may read, in the order of their providers; the server asks its upstreams for lists that are not fresh. */
export function listModels(wanted: { readonly provider?: string | undefined; readonly search?: string }) {
  const { provider, search = "" } = wanted;
  return pagesOf(["models", provider ?? "", search], ({ cursor, signal }) =>
    call("GET /api/v1/models", {
      query: { cursor, provider, ...(search !== "" && { search }) },
      signal,
    }),
  );
}
