import type { StatementSync } from "node:sqlite";
import type { SqlValue } from "./database.ts";
import type { Outcome } from "./sqlite-protocol.ts";

/** Runs a prepared statement to its end: its rows where it gives any, else how many it changed. Throws what SQLite says. */
export function runStatement(statement: StatementSync, parameters: readonly SqlValue[]): Outcome {
  const bound = parameters.map(bindable);
  if (statement.columns().length > 0) return { rows: statement.all(...bound), changes: 0 };
  return { rows: [], changes: Number(statement.run(...bound).changes) };
}

/** node:sqlite binds every number as a float; whole numbers go in as integers, so that text and division stay exact. */
function bindable(value: SqlValue): SqlValue | bigint {
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}
