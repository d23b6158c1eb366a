import { AppError } from "#platform/lib/error.ts";
import type { SqlValue } from "./database.ts";
import { toSqlValue } from "./sqlite-dialect.ts";
import type { Tables } from "./tables.ts";

/** One prepared statement, and what to run it with, row by row. */
export interface RowsToInsert {
  readonly sql: string;
  readonly rows: readonly (readonly SqlValue[])[];
}

/** Rows of one table; the columns are those of the first row. Undefined when there is none. */
export function rowsToInsert<Name extends keyof Tables>(
  table: Name,
  rows: readonly Partial<Record<keyof Tables[Name], SqlValue>>[],
): RowsToInsert | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const columns = Object.keys(first);
  const sql =
    `INSERT INTO ${quote(table)} (${columns.map(quote).join(", ")}) ` +
    `VALUES (${columns.map(() => "?").join(", ")})`;
  return { sql, rows: rows.map((row) => rowValues(row, columns)) };
}

/** A column that the first row lacks would be lost without a word, so it is an error. */
function rowValues(row: object, columns: readonly string[]): SqlValue[] {
  const own = Object.keys(row);
  // As most rows are: then no value need be looked for.
  if (own.length === columns.length && own.every((name, at) => name === columns[at])) {
    const inOrder: readonly unknown[] = Object.values(row);
    return inOrder.map((value) => toSqlValue(value ?? null));
  }
  const values = new Map<string, unknown>(Object.entries(row));
  const stranger = [...values.keys()].find((column) => !columns.includes(column));
  if (stranger !== undefined) {
    throw new AppError("internal", undefined, { detail: `the first row has no column ${stranger}` });
  }
  return columns.map((column) => toSqlValue(values.get(column) ?? null));
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
