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
  rows: Rows<Name>,
): RowsToInsert | undefined {
  const { names, columns, length } = rows instanceof RowColumns ? rows : RowColumns.of(rows);
  if (length === 0) return undefined;
  return { into: `INSERT INTO ${quote(table)} (${names.map(quote).join(", ")}) VALUES `, columns };
}

type Row<Name extends keyof Tables> = Partial<Record<keyof Tables[Name], SqlValue>>;
/** Rows of a table, one by one or by column. */
export type Rows<Name extends keyof Tables> = readonly Row<Name>[] | RowColumns<Row<Name>>;

/** Rows that are taken apart as each comes, while it is at hand: of many that waited it takes twice as long. */
export class RowColumns<Row extends object> {
  #names: readonly string[] = [];
  #columns: readonly SqlValue[][] = [];
  /** Of the row that is being taken; one list for all. */
  readonly #values: SqlValue[] = [];
  #length = 0;

  static of<Row extends object>(rows: readonly Row[]): RowColumns<Row> {
    const all = new RowColumns<Row>();
    for (const row of rows) all.push(row);
    return all;
  }

  /** How many rows. */
  get length(): number {
    return this.#length;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** In the order of the names. */
  get columns(): readonly (readonly SqlValue[])[] {
    return this.#columns;
  }

  /** The columns are those of the first row. */
  push(row: Row): void {
    if (this.#length === 0) {
      this.#names = Object.keys(row);
      this.#columns = this.#names.map(() => []);
    }
    const values = this.#take(row);
    for (let at = 0; at < values.length; at++) this.#columns[at]?.push(values[at] ?? null);
    this.#length += 1;
  }

  /** All of them before the first goes to its column: columns of unequal length would mix rows up. */
  #take(row: Row): readonly SqlValue[] {
    const names = this.#names;
    const values = this.#values;
    let at = 0;
    // Nearly all rows name their columns in the order of the first: without a list of them, that is a third of the cost.
    for (const name in row) {
      if (name !== names[at]) return valuesOf(row, names);
      values[at] = toSqlValue(row[name] ?? null);
      at += 1;
    }
    return at === names.length ? values : valuesOf(row, names);
  }
}

/** What stands behind `into`: places for so many rows of so many values. */
export function placesFor(rows: number, values: number): string {
  const row = `(${Array.from({ length: values }, () => "?").join(", ")})`;
  return Array.from({ length: rows }, () => row).join(", ");
}

/** A column that the first row lacks would be lost without a word, so it is an error. */
function valuesOf(row: object, names: readonly string[]): readonly SqlValue[] {
  const stranger = Object.keys(row).find((name) => !names.includes(name));
  if (stranger !== undefined)
    throw new AppError("internal", undefined, { detail: `the first row has no column ${stranger}` });
  const values = new Map<string, unknown>(Object.entries(row));
  return names.map((name) => toSqlValue(values.get(name) ?? null));
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
