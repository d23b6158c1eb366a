export type { AuditEntry, Refusal } from "./record.ts";
export { type AuditRecorder, openAuditRecorder } from "./recorder.ts";
export type { AuditPage, AuditRow } from "./store.ts";
