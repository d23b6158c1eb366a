import { AppError } from "#platform/lib/error.ts";
import type { SqlValue } from "./database.ts";
import { toSqlValue } from "./sqlite-dialect.ts";
import type { Tables } from "./tables.ts";

/** Rows of one table, by column: so they go to another thread for a third of the cost. */
export interface RowsToInsert {
  /** The statement as far as its values. */
  readonly into: string;
  /** Of each column the values of all rows, in the order of the statement's columns. */
  readonly columns: readonly (readonly SqlValue[])[];
}

/** Rows of one table; the columns are those of the first row. Undefined when there is none. */
export function rowsToInsert<Name extends keyof Tables>(
  table: Name,
  rows: readonly Partial<Record<keyof Tables[Name], SqlValue>>[],
): RowsToInsert | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const names = Object.keys(first);
  const columns = names.map((): SqlValue[] => []);
  for (const row of rows) {
    const values: readonly unknown[] = valuesOf(row, names);
    for (let at = 0; at < names.length; at++) columns[at]?.push(toSqlValue(values[at] ?? null));
  }
  return { into: `INSERT INTO ${quote(table)} (${names.map(quote).join(", ")}) VALUES `, columns };
}

/** What stands behind `into`: places for so many rows of so many values. */
export function placesFor(rows: number, values: number): string {
  const row = `(${Array.from({ length: values }, () => "?").join(", ")})`;
  return Array.from({ length: rows }, () => row).join(", ");
}

/** A column that the first row lacks would be lost without a word, so it is an error. */
function valuesOf(row: object, names: readonly string[]): readonly unknown[] {
  const own = Object.keys(row);
  // As most rows are: then no value need be looked for.
  if (own.length === names.length && own.every((name, at) => name === names[at])) return Object.values(row);
  const stranger = own.find((name) => !names.includes(name));
  if (stranger !== undefined)
    throw new AppError("internal", undefined, { detail: `the first row has no column ${stranger}` });
  const values = new Map<string, unknown>(Object.entries(row));
  return names.map((name) => values.get(name));
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
