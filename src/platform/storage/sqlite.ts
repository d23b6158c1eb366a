import { mkdirSync } from "node:fs";
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { Kysely, type Transaction } from "kysely";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import { Turn } from "../threads/turn.ts";
import type { ConfigPlaces } from "./config-copy.ts";
import type { Database } from "./database.ts";
import { type Filesystem, networkFilesystem, probeFilesystem } from "./filesystem.ts";
import { type Rows, rowsToInsert } from "./insert-rows.ts";
import { MIGRATIONS, type Migration, withChecksums } from "./migrate.ts";
import { SqliteClient } from "./sqlite-client.ts";
import { type Lease, sqliteDialect } from "./sqlite-dialect.ts";
import type { Outcome, ThreadStart, Work } from "./sqlite-protocol.ts";
import { startStorageThread } from "./storage-thread.ts";
import type { Tables } from "./tables.ts";

const EXIT_CANTCREAT = 73;
/** How often room is made for one transaction: where that does not help, it is to be kept for the next. */
const TIMES_AGAIN = 3;

export type MakeRoom = (times: number) => boolean;

export interface SqliteOptions {
  /** `${DATA_DIR}`; the store is `db/data.sqlite` in it. */
  dataDir: string;
  clock: Clock;
  /** The configuration, which is copied along before an upgrade; the store is copied alone when left out. */
  config?: ConfigPlaces;
  /** What lies under the directory; asked of the system when left out. */
  filesystem?: (directory: string) => Filesystem;
  migrations?: readonly Migration[];
  /**
   * Asked where a transaction found the disk full: whether it may run again, once the write-ahead log was moved into the file and
   * so can be written from its beginning. `times`: how often it ran again already.
   */
  makeRoom?: MakeRoom | undefined;
  /** One that was started before; started now when left out. */
  thread?: Worker | undefined;
}

/**
 * Opens the store on its own thread, at this program's version. A transaction's work must use the query it is given:
 * any other waits for the transaction to end. Errors: StartError, with the line that repairs it.
 */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const { type, freeBytes } = inspectDirectory(options);
  const network = networkFilesystem(type);
  if (network !== undefined) {
    throw new StartError(
      `${options.dataDir} is on a network file system (${network}), where SQLite's locks do not hold. ` +
        "Set DATA_DIR to a directory on a local disk.",
    );
  }
  const start: ThreadStart = {
    dataDir: options.dataDir,
    migrations: await withChecksums(options.migrations ?? MIGRATIONS),
    freeBytes,
    nowMs: options.clock.now(),
    config: options.config && placesIn(options.config),
  };
  const client = new SqliteClient(openOn(options.thread ?? startStorageThread(), start));
  try {
    await client.started();
  } catch (error) {
    await client.exited();
    throw error;
  }
  return new SqliteDatabase(client, options.makeRoom);
}

/** Has the thread open a store, and gives it, for whoever brings its own end of the protocol. */
export function openOn(thread: Worker, start: ThreadStart): Worker {
  thread.ref();
  thread.postMessage(start);
  return thread;
}

/** The port on a storage thread that has started. */
export class SqliteDatabase implements Database {
  readonly query: Kysely<Tables>;
  readonly #client: SqliteClient;
  readonly #makeRoom: MakeRoom;
  readonly #turn = new Turn();
  #closed: Promise<void> | undefined;

  constructor(client: SqliteClient, makeRoom: MakeRoom = () => false) {
    this.#client = client;
    this.#makeRoom = makeRoom;
    this.query = new Kysely<Tables>({ dialect: sqliteDialect(() => this.#acquire()) });
  }

  async transaction<T>(work: (query: Transaction<Tables>) => Promise<T>): Promise<T> {
    for (let times = 0; ; times++) {
      try {
        return await this.query.transaction().execute(work);
      } catch (error) {
        const isFull = error instanceof AppError && error.code === "storage_full";
        if (!isFull || times === TIMES_AGAIN || !this.#makeRoom(times)) throw error;
        // Where it cannot be, the room that was made has to do.
        await this.#send({ op: "checkpoint" }).catch(() => undefined);
      }
    }
  }

  async insertRows<Name extends keyof Tables>(table: Name, rows: Rows<Name>): Promise<void> {
    const insert = rowsToInsert(table, rows);
    if (insert === undefined) return;
    await this.#send({ op: "insert", ...insert });
  }

  async compact(): Promise<void> {
    await this.#send({ op: "compact" });
  }

  async shrink(): Promise<boolean> {
    return (await this.#send({ op: "shrink" })).changes > 0;
  }

  async openRowPort(): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    await this.#client.send({ op: "join", port: port1 }, [port1]);
    return port2;
  }

  /** Waits for what was asked before it, then closes; a second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#shut();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** In a turn of its own. */
  async #send(work: Work): Promise<Outcome> {
    const lease = await this.#acquire();
    try {
      return await lease.send(work);
    } finally {
      lease.release();
    }
  }

  async #acquire(): Promise<Lease> {
    if (this.#closed !== undefined) {
      throw new AppError("shutting_down", undefined, { detail: "the database is closed" });
    }
    const release = await this.#turn.take();
    return { send: (work) => this.#client.send(work), release };
  }

  async #shut(): Promise<void> {
    const release = await this.#turn.take();
    try {
      await this.#client.send({ op: "close" });
      await this.#client.exited();
    } finally {
      release();
    }
  }
}

/** Nothing but these two goes to the thread: a whole configuration holds what cannot be handed over. */
function placesIn({ configDir, configFile }: ConfigPlaces): ConfigPlaces {
  return { configDir, configFile };
}

function inspectDirectory(options: SqliteOptions): Filesystem {
  try {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    return (options.filesystem ?? probeFilesystem)(options.dataDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`The data directory ${options.dataDir} cannot be used: ${reason}.`, {
      exitCode: EXIT_CANTCREAT,
      cause: error,
    });
  }
}
