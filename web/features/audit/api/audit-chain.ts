import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { isProblem } from "#lib/api-problem.ts";

/** Where the chain of records is; null where it has none yet. */
export function auditChain() {
  return queryOptions({
    queryKey: ["audit-chain"],
    queryFn: async ({ signal }) => {
      try {
        return await call("GET /api/v1/audit/chain", { signal });
      } catch (error) {
        if (isProblem(error, "not_found")) return null;
        throw error;
      }
    },
  });
}
