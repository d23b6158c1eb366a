import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { AuditFilter, AuditRow } from "./list-audit.ts";

const ROWS_A_CALL = 1000;
/** Beyond it a browser is the wrong place. */
const MOST_ROWS = 100_000;

/** Every record that fits, the oldest first; an error where they are too many for a browser. */
export function useExportAudit() {
  return useMutation({ mutationFn: readAll });
}

async function readAll(filter: AuditFilter): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { ...filter, order: "oldest", limit: ROWS_A_CALL, cursor } as const;
    const page = await call("GET /api/v1/audit", { query });
    rows.push(...page.data);
    if (page.next_cursor === null) return rows;
    if (rows.length >= MOST_ROWS)
      throw new Error(
        `These are more than ${MOST_ROWS} records. Narrow the filter, or use claviger audit export.`,
      );
    cursor = page.next_cursor;
  }
}
