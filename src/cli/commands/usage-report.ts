import { sortWords } from "#platform/lib/sorted-page.ts";
import { csvText } from "../csv.ts";
import type { Cell } from "../output.ts";

export const GROUPS = ["key", "model", "provider", "day"] as const;
export type Group = (typeof GROUPS)[number];
const SORT_COLUMNS = ["name", "requests", "input_tokens", "output_tokens", "cost_usd"] as const;
export const SORTS = sortWords(SORT_COLUMNS);

/** One row of `GET /api/v1/usage`; of the four names only the one asked for is set. */
export interface UsageRow {
  readonly key?: string | undefined;
  /** Of a key or identity; null where none is known any more. */
  readonly name?: string | null | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | null | undefined;
  readonly day?: string | undefined;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number | null;
  readonly estimated_requests: number;
  readonly unpriced_requests: number;
}

const SUMS = [
  "requests",
  "input_tokens",
  "output_tokens",
  "cost_usd",
  "estimated_requests",
  "unpriced_requests",
] as const;
const SHOWN = ["requests", "input_tokens", "output_tokens", "cost_usd"] as const;
const SHORTEST_BAR = 5;
const LONGEST_BAR = 40;

/**
 * CSV as RFC 4180 has it: a heading, CR LF, quotes doubled. The last LF is the writer's. A text that a spreadsheet
 * would take for a formula gets an apostrophe in front. The name of a key stands last.
 */
export function usageCsv(by: Group, rows: readonly UsageRow[]): string {
  const lines = rows.map((row) => [
    csvText(row[by] ?? ""),
    ...SUMS.map((sum) => plainNumber(row[sum])),
    ...(by === "key" ? [csvText(row.name ?? "")] : []),
  ]);
  const heading = [by, ...SUMS, ...(by === "key" ? ["name"] : [])];
  return [heading, ...lines].map((cells) => `${cells.join(",")}\r`).join("\n");
}

/**
 * The columns and cells of the table. On a terminal, `width` characters wide, each row gets a bar for its share of the
 * cost, or of the tokens where no cost is known, if there is room for one. Bars are plain characters, not colours.
 */
export function usageTable(
  by: Group,
  rows: readonly UsageRow[],
  width: number | undefined,
): { columns: readonly string[]; cells: readonly Readonly<Record<string, Cell>>[] } {
  const columns = [...(by === "key" ? ["name"] : []), by, ...SHOWN];
  const cells = rows.map(
    (row): Record<string, Cell> => ({
      ...(by === "key" && { name: row.name }),
      [by]: row[by],
      requests: row.requests,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      cost_usd: row.cost_usd === null ? null : dollars(row.cost_usd),
    }),
  );
  const room = width === undefined ? 0 : Math.min(LONGEST_BAR, width - widthOf(columns, cells) - 2);
  if (room < SHORTEST_BAR) return { columns, cells };
  const byCost = rows.some(({ cost_usd }) => (cost_usd ?? 0) > 0);
  const sizes = rows.map((row) => (byCost ? (row.cost_usd ?? 0) : row.input_tokens + row.output_tokens));
  const largest = Math.max(...sizes, 0);
  const share = byCost ? "cost" : "tokens";
  return {
    columns: [...columns, share],
    cells: cells.map((cell, at) => ({ ...cell, [share]: bar(sizes[at] ?? 0, largest, room) })),
  };
}

function bar(size: number, largest: number, room: number): string {
  if (size <= 0) return "";
  return "█".repeat(Math.max(1, Math.round((size / largest) * room)));
}

/** Columns are parted by two spaces. */
function widthOf(columns: readonly string[], cells: readonly Readonly<Record<string, Cell>>[]): number {
  const widths = columns.map((column) =>
    Math.max(column.length, ...cells.map((cell) => [...String(cell[column] ?? "-")].length)),
  );
  return widths.reduce((sum, each) => sum + each, 0) + 2 * (columns.length - 1);
}

/** Two digits from a dollar on; below it the six that most requests need, and more where all six are zeros. */
export function dollars(usd: number): string {
  if (usd >= 1 || usd === 0) return usd.toFixed(2);
  return usd.toFixed(usd < 0.000_001 ? 9 : 6);
}

/** Never in the form 1e-7, which not every reader of CSV knows. */
function plainNumber(value: number | null): string {
  if (value === null) return "";
  return Number.isInteger(value) ? String(value) : value.toFixed(9).replace(/0+$/, "");
}
