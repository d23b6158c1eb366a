import type { AuditRow } from "./api/list-audit.ts";

const COLUMNS = [
  "chain",
  "seq",
  "time",
  "actor",
  "action",
  "target",
  "outcome",
  "address",
  "request_id",
  "count",
  "hash",
] as const satisfies readonly (keyof AuditRow)[];
/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** One JSON object a line. */
export function jsonLines(rows: readonly AuditRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** RFC 4180, with a head; what begins like a formula is quoted by an apostrophe. */
export function csv(rows: readonly AuditRow[]): string {
  const lines = rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(","));
  return [COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function cell(value: string | number | null): string {
  const text = String(value ?? "");
  const safe = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
