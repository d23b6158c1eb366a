export type { AuditReport } from "./finding.ts";
export { leaveAuditNote } from "./notes.ts";
export type { AuditEntry, Refusal } from "./record.ts";
export { type AuditRecorder, openAuditRecorder } from "./recorder.ts";
export { auditRoutes } from "./routes/routes.ts";
export { verifyAudit } from "./verify.ts";
