import type { UsageBy, UsageRow } from "./api/list-usage.ts";

const SUMS = [
  "requests",
  "input_tokens",
  "output_tokens",
  "cost_usd",
  "estimated_requests",
  "unpriced_requests",
] as const;

/** The same CSV as of `claviger usage --csv`: RFC 4180, a name that looks like a formula behind an apostrophe, that of a key last. */
export function usageCsv(by: UsageBy, rows: readonly UsageRow[]): string {
  const lines = rows.map((row) => [
    csvText(row[by] ?? ""),
    ...SUMS.map((sum) => plainNumber(row[sum])),
    ...(by === "key" ? [csvText(row.name ?? "")] : []),
  ]);
  return [[by, ...SUMS, ...(by === "key" ? ["name"] : [])], ...lines]
    .map((cells) => `${cells.join(",")}\r\n`)
    .join("");
}

function csvText(text: string): string {
  const guarded = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** Never in the form 1e-7, which not every reader of CSV knows; nothing where it is not known. */
function plainNumber(value: number | null): string {
  if (value === null) return "";
  return Number.isInteger(value) ? String(value) : value.toFixed(9).replace(/0+$/, "");
}
