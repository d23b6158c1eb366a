import type { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import { sql as ground } from "./migrations/0001-ground.ts";
import { sql as usage } from "./migrations/0002-usage.ts";
import { sql as providerOptions } from "./migrations/0003-provider-options.ts";
import { sql as keyLimits } from "./migrations/0004-key-limits.ts";
import { sql as keysInOrder } from "./migrations/0005-keys-in-order.ts";
import { sql as keyTerms } from "./migrations/0006-key-terms.ts";
import { sql as namedCredentials } from "./migrations/0007-named-credentials.ts";
import { sql as identityUses } from "./migrations/0008-identity-uses.ts";
import { sql as serverKey } from "./migrations/0009-server-key.ts";
import { sql as keyTries } from "./migrations/0010-key-tries.ts";
import { sql as auditChain } from "./migrations/0011-audit-chain.ts";
import { sql as travellingSecrets } from "./migrations/0012-travelling-secrets.ts";
import { sql as clusterMembers } from "./migrations/0013-cluster-members.ts";
import { sql as people } from "./migrations/0014-people.ts";
import { sql as sumsBehindRows } from "./migrations/0015-sums-behind-rows.ts";
import { sql as listsInOrder } from "./migrations/0016-lists-in-order.ts";
import { sql as idsThatTellTheirTime } from "./migrations/0017-ids-that-tell-their-time.ts";

export interface Migration {
  number: number;
  name: string;
  sql: string;
}

export interface NumberedMigration extends Migration {
  /** SHA-256 of `sql`, lower-case hex. */
  checksum: string;
}

interface Applied {
  number: number;
  name: string;
  checksum: string;
}

/** Every migration, in order, numbered from 1 without a gap. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "ground", sql: ground },
  { number: 2, name: "usage", sql: usage },
  { number: 3, name: "provider-options", sql: providerOptions },
  { number: 4, name: "key-limits", sql: keyLimits },
  { number: 5, name: "keys-in-order", sql: keysInOrder },
  { number: 6, name: "key-terms", sql: keyTerms },
  { number: 7, name: "named-credentials", sql: namedCredentials },
  { number: 8, name: "identity-uses", sql: identityUses },
  { number: 9, name: "server-key", sql: serverKey },
  { number: 10, name: "key-tries", sql: keyTries },
  { number: 11, name: "audit-chain", sql: auditChain },
  { number: 12, name: "travelling-secrets", sql: travellingSecrets },
  { number: 13, name: "cluster-members", sql: clusterMembers },
  { number: 14, name: "people", sql: people },
  { number: 15, name: "sums-behind-rows", sql: sumsBehindRows },
  { number: 16, name: "lists-in-order", sql: listsInOrder },
  { number: 17, name: "ids-that-tell-their-time", sql: idsThatTellTheirTime },
];

export async function withChecksums(migrations: readonly Migration[]): Promise<NumberedMigration[]> {
  return Promise.all(
    migrations.map(async (migration) => {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(migration.sql));
      return { ...migration, checksum: Buffer.from(digest).toString("hex") };
    }),
  );
}

/** The store's version: the number of its last migration, 0 for a store without any. */
export function storeVersion(database: DatabaseSync): number {
  return readApplied(database).at(-1)?.number ?? 0;
}

/**
 * Brings the store to the last of `migrations`, all of it in one transaction. `beforeUpgrade` runs first when
 * the store is not new. Errors: StartError when the store is newer, when an applied migration differs or one fails.
 */
export function migrate(
  database: DatabaseSync,
  options: {
    migrations: readonly NumberedMigration[];
    nowMs: number;
    beforeUpgrade: (version: number) => void;
  },
): void {
  const applied = refuseStrangers(database, options.migrations);
  const pending = options.migrations.slice(applied.length);
  if (applied.length > 0 && pending.length > 0) options.beforeUpgrade(applied.length);
  if (pending.length === 0) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const migration of pending) apply(database, migration, { ...options, version: applied.length });
    database.exec("COMMIT");
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

/** The migrations a store went through. StartError when it is newer than `known`, or one of them differs. */
export function refuseStrangers(
  database: DatabaseSync,
  known: readonly NumberedMigration[],
): readonly Applied[] {
  const applied = readApplied(database);
  const version = applied.at(-1)?.number ?? 0;
  const newest = known.at(-1)?.number ?? 0;
  if (version > newest) {
    throw new StartError(
      `The store has version ${version}; this program knows versions up to ${newest}. ` +
        "Start the newer program that wrote it, or restore a backup of the older version.",
    );
  }
  applied.forEach((row, index) => {
    const migration = known[index];
    if (migration?.number === row.number && migration.checksum === row.checksum) return;
    throw new StartError(
      `Migration ${row.number} (${row.name}) of the store is not the one this program has. ` +
        "Start the program that wrote the store, or restore a backup.",
    );
  });
  return applied;
}

function apply(
  database: DatabaseSync,
  migration: NumberedMigration,
  { nowMs, version }: { nowMs: number; version: number },
): void {
  try {
    database.exec(
      "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, " +
        "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
    );
    database.exec(migration.sql);
    database
      .prepare("INSERT INTO migration (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
      .run(migration.number, migration.name, migration.checksum, nowMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `Migration ${migration.number} (${migration.name}) failed: ${reason}. ` +
        `The store is unchanged at version ${version}; start the program of that version.`,
      { cause: error },
    );
  }
}

function readApplied(database: DatabaseSync): Applied[] {
  const present = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'");
  if (present.get() === undefined) return [];
  const rows = database.prepare("SELECT number, name, checksum FROM migration ORDER BY number").all();
  return rows.map((row) => ({
    number: Number(row.number),
    name: String(row.name),
    checksum: String(row.checksum),
  }));
}
