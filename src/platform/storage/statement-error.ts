export type Constraint = "unique" | "foreign_key" | "check" | "not_null" | "trigger";

/** A statement the database refused. The text names tables and columns, never values. */
export class StatementError extends Error {
  /** Which rule the statement broke; undefined when it broke none (a syntax error, a busy store). */
  readonly constraint: Constraint | undefined;

  constructor(message: string, constraint: Constraint | undefined) {
    super(message);
    this.name = "StatementError";
    this.constraint = constraint;
  }
}

/** True when a row with this key or name is already there; holds for every kind of database behind the port. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof StatementError && error.constraint === "unique";
}
