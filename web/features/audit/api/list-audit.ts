import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { pagesOf } from "#lib/pages-of.ts";

type Asked = Operations["GET /api/v1/audit"]["query"];

/** What narrows the list; a row has exactly what is asked for. */
export type AuditFilter = Pick<Asked, "actor" | "action" | "target" | "outcome" | "since" | "until">;
/** One record. */
export type AuditRow = Operations["GET /api/v1/audit"]["response"]["data"][number];

/** What happened. */
export function listAudit(filter: AuditFilter, order: "newest" | "oldest") {
  return pagesOf(
    ["audit", filter],
    ({ cursor, signal }) => call("GET /api/v1/audit", { query: { ...filter, order, cursor }, signal }),
    order,
  );
}
