import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import { type Random, systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import type { Seal, SealedColumn } from "#vault/seal/index.ts";
import { FakeClock } from "../fake-clock.ts";
import { BY, openTestSeal } from "../test-seal.ts";

const COLUMN: SealedColumn = { table: "named_credential", column: "sealed", key: "name", writtenWith: [] };
const META = { hint: "", origin: null, proxy: null, created_at: 0, updated_at: 0 };

export interface StartOptions {
  /** Called before and after each transaction of the seal, with its number since the start, from 1. */
  readonly around?: {
    before?(transaction: number): Promise<void>;
    after?(transaction: number): void;
    /** In the place of the cleaning of the files. */
    compact?(): Promise<void>;
  };
  readonly autoUnlock?: Secret;
  readonly cost?: Argon2Parameters;
}

/** A store on a directory of its own, its seal, and secrets in it, by name. */
export class SealedStore implements AsyncDisposable {
  readonly dataDir = mkdtempSync(join(tmpdir(), "claviger-sealed-"));
  readonly clock = new FakeClock();
  readonly logged: string[] = [];
  readonly #random: Random;
  #running: { database: Database; seal: Seal } | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  static async start(random: Random = systemRandom): Promise<SealedStore> {
    const store = new SealedStore(random);
    await store.open();
    return store;
  }

  get database(): Database {
    if (this.#running === undefined) throw new Error("the store is not open");
    return this.#running.database;
  }

  get seal(): Seal {
    if (this.#running === undefined) throw new Error("the store is not open");
    return this.#running.seal;
  }

  /** Opens files and seal, as a start of the server does. */
  async open(options: StartOptions = {}): Promise<void> {
    const { dataDir, clock } = this;
    await this.#openSeal(await openSqlite({ dataDir, clock }), options);
  }

  async #openSeal(database: Database, options: StartOptions): Promise<void> {
    const { dataDir, clock, logged } = this;
    const { around, ...rest } = options;
    const parts = {
      database: around === undefined ? database : watched(database, around),
      dataDir,
      clock,
      logged,
      random: this.#random,
      sealed: [COLUMN],
    };
    this.#running = { database, seal: await openTestSeal({ ...parts, ...rest }) };
  }

  /** Another store with the same files, as they are now. */
  async copy(): Promise<SealedStore> {
    const copy = new SealedStore(this.#random);
    await this.database.compact();
    for (const name of ["db", "secrets"])
      cpSync(join(this.dataDir, name), join(copy.dataDir, name), { recursive: true });
    await copy.open();
    return copy;
  }

  async close(): Promise<void> {
    await this.#running?.seal.close();
    await this.#running?.database.close();
    this.#running = undefined;
  }

  /** Closes the seal and opens another, which knows what is stored and nothing else; the files stay open. */
  async restart(options: StartOptions = {}): Promise<void> {
    await this.seal.close();
    await this.#openSeal(this.database, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    rmSync(this.dataDir, { recursive: true });
  }

  /** Seals each value under its name, in place of an older one, in one transaction. */
  async put(values: Readonly<Record<string, string>>): Promise<void> {
    const { database, seal } = this;
    await database.transaction(async (query) => {
      for (const [name, value] of Object.entries(values)) {
        const sealed = seal.sealValue(placeOf(name), new Secret(value));
        await query
          .insertInto("named_credential")
          .values({ ...META, name, sealed })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ sealed }))
          .execute();
      }
    });
  }

  /** Puts these bytes where a sealed value is. */
  async overwrite(name: string, sealed: Uint8Array): Promise<void> {
    await this.database.query
      .updateTable("named_credential")
      .set({ sealed })
      .where("name", "=", name)
      .execute();
  }

  async remove(name: string): Promise<void> {
    await this.database.query.deleteFrom("named_credential").where("name", "=", name).execute();
  }

  /** The sealed values, by name. */
  async sealed(): Promise<Record<string, Buffer>> {
    const rows = await this.database.query
      .selectFrom("named_credential")
      .select(["name", "sealed"])
      .orderBy("name")
      .execute();
    return Object.fromEntries(rows.map(({ name, sealed }) => [name, Buffer.from(sealed)]));
  }

  /** The values, opened. */
  async values(): Promise<Record<string, string>> {
    const opened = Object.entries(await this.sealed()).map(([name, sealed]) => [
      name,
      this.seal.openValue(placeOf(name), sealed).toString(),
    ]);
    return Object.fromEntries(opened);
  }

  async terms(): Promise<number[]> {
    const rows = await this.database.query.selectFrom("seal_term").select("term").orderBy("term").execute();
    return rows.map(({ term }) => term);
  }

  async slots(): Promise<string[]> {
    const rows = await this.database.query.selectFrom("seal_slot").select("kind").orderBy("kind").execute();
    return rows.map(({ kind }) => kind);
  }

  /** Every wrapped key. */
  async wrapped(): Promise<Buffer[]> {
    const slots = await this.database.query.selectFrom("seal_slot").select("wrapped").execute();
    const terms = await this.database.query.selectFrom("seal_term").select("wrapped").execute();
    return [...slots, ...terms].map(({ wrapped }) => Buffer.from(wrapped));
  }

  /** `ACTION OUTCOME` of each audit row. */
  async audited(): Promise<string[]> {
    const rows = await this.database.query
      .selectFrom("audit")
      .select(["action", "outcome"])
      .orderBy("seq")
      .execute();
    return rows.map(({ action, outcome }) => `${action} ${outcome}`);
  }

  /** From now on no audit row can be written. */
  async refuseRecords(): Promise<void> {
    const trigger = sql`CREATE TEMP TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no room'); END`;
    await trigger.execute(this.database.query);
  }

  async takeRecords(): Promise<void> {
    await sql`DROP TRIGGER full`.execute(this.database.query);
  }

  /** The bytes of every file in the data directory. */
  everyByte(): Buffer {
    const entries = readdirSync(this.dataDir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return Buffer.concat(files.map((file) => readFileSync(join(file.parentPath, file.name))));
  }

  initialize(key: Secret, recovery = false) {
    return this.seal.initialize(key, { recovery, by: BY });
  }

  rotate(current: Secret, next: Secret) {
    return this.seal.rotate({ current, next }, BY);
  }

  unlock(key: Secret) {
    return this.seal.unlock(key, BY);
  }

  lock() {
    return this.seal.lock(BY);
  }
}

/** The same database, with whatever is to happen around its transactions. */
function watched(database: Database, around: NonNullable<StartOptions["around"]>): Database {
  let count = 0;
  return {
    query: database.query,
    transaction: async (work) => {
      const mine = ++count;
      await around.before?.(mine);
      const result = await database.transaction(work);
      around.after?.(mine);
      return result;
    },
    insertRows: (table, rows) => database.insertRows(table, rows),
    openRowPort: () => database.openRowPort(),
    compact: () => around.compact?.() ?? database.compact(),
    shrink: () => database.shrink(),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}

/** A passphrase nobody else has. */
export function newKey(): Secret {
  return new Secret(systemRandom.bytes(12).toString("hex"));
}

function placeOf(name: string) {
  return { table: COLUMN.table, column: COLUMN.column, key: name };
}
