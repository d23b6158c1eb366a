import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { AppError } from "#platform/lib/error.ts";
import type { SqlValue } from "./database.ts";
import type { Outcome, Work } from "./sqlite-protocol.ts";

/** What a holder of the one connection may do with it until it gives it back. */
export interface Lease {
  send(work: Work): Promise<Outcome>;
  release(): void;
}

/** Kysely over the storage thread: `acquire` waits for the caller's turn at the only connection. */
export function sqliteDialect(acquire: () => Promise<Lease>): Dialect {
  return {
    createAdapter: () => new ThreadAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createDriver: () => new ThreadDriver(acquire),
  };
}

/** A value as the thread takes it. Bytes are copied: a view would carry its whole underlying buffer across. */
export function toSqlValue(value: unknown): SqlValue {
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  throw new AppError("internal", undefined, { detail: `a ${typeof value} is no value of the database` });
}

/** Turns are given by `acquire` alone: Kysely's own lock for single connections stays taken when `acquire` refuses. */
class ThreadAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class ThreadConnection implements DatabaseConnection {
  readonly lease: Lease;

  constructor(lease: Lease) {
    this.lease = lease;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const parameters = query.parameters.map(toSqlValue);
    const { rows, changes } = await this.lease.send({ op: "statement", sql: query.sql, parameters });
    if (!areRows<Row>(rows)) throw new AppError("internal", undefined, { detail: "rows are objects" });
    return { rows, numAffectedRows: BigInt(changes) };
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new AppError("internal", undefined, { detail: "the storage thread answers whole results only" });
  }
}

class ThreadDriver implements Driver {
  readonly #acquire: () => Promise<Lease>;

  constructor(acquire: () => Promise<Lease>) {
    this.#acquire = acquire;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ThreadConnection> {
    return new ThreadConnection(await this.#acquire());
  }

  async beginTransaction(connection: ThreadConnection): Promise<void> {
    await connection.lease.send({ op: "begin" });
  }

  async commitTransaction(connection: ThreadConnection): Promise<void> {
    await connection.lease.send({ op: "commit" });
  }

  async rollbackTransaction(connection: ThreadConnection): Promise<void> {
    await connection.lease.send({ op: "rollback" });
  }

  async releaseConnection(connection: ThreadConnection): Promise<void> {
    connection.lease.release();
  }

  async destroy(): Promise<void> {}
}

/** Which columns a row has is the schema's promise to Kysely; that they are objects is all that is seen here. */
function areRows<Row>(rows: readonly unknown[]): rows is Row[] {
  return rows.every((row) => typeof row === "object" && row !== null);
}
