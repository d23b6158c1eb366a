import type { Api } from "#platform/http/server.ts";
import type { AuditRecorder } from "../recorder.ts";
import { listAuditRoute } from "./list-audit.ts";
import { showChainRoute } from "./show-chain.ts";

/** `/api/v1/audit` and what is below it. */
export function auditRoutes(api: Api, audit: Pick<AuditRecorder, "list" | "flush" | "chain">): void {
  listAuditRoute(api, audit);
  showChainRoute(api, audit);
}
