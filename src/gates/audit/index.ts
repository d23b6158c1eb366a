export type { AuditEntry, Refusal } from "./record.ts";
export { type AuditRecorder, openAuditRecorder } from "./recorder.ts";
export { listAuditRoute } from "./routes/list-audit.ts";
export type { AuditPage, AuditRow } from "./store.ts";
