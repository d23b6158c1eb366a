import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

export type RequestRow = Operations["GET /api/v1/requests"]["response"]["data"][number];
type Asked = Operations["GET /api/v1/requests"]["query"];
export type RequestFilter = Omit<Asked, "limit" | "cursor" | "order">;

const A_PAGE = 50;

/** The metadata of requests; `filter` must stay as it is from page to page. */
export function listRequests(filter: RequestFilter, order: "newest" | "oldest") {
  return pagesOf(
    ["requests", filter],
    ({ cursor, signal }) =>
      call("GET /api/v1/requests", { query: { ...filter, order, limit: A_PAGE, cursor }, signal }),
    order,
  );
}
