import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import { type NumberedMigration, storeVersion } from "./migrate.ts";
import { isWalDamaged } from "./wal-check.ts";

/**
 * Judges a store before it is opened for writing, so that a refused one keeps every byte: closing a connection that
 * may write would move its write-ahead log into it. StartError when it is damaged, lost or of another program.
 */
export function checkStore(
  path: string,
  options: { mustExist: boolean; migrations: readonly NumberedMigration[]; timeoutMs: number },
): void {
  if (isWalDamaged(`${path}-wal`)) throw new StartError(damagedText(path, "its write-ahead log is broken"));
  // What a rollback journal holds can only be put back by who may write.
  const readOnly = !existsSync(`${path}-journal`);
  const database = new DatabaseSync(path, { readOnly, timeout: options.timeoutMs });
  try {
    const verdict = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (verdict !== "ok") throw new StartError(damagedText(path, String(verdict)));
    const version = storeVersion(database);
    if (version === 0) refuseEmpty(database, path, options.mustExist);
    else refuseOtherSchema(database, path, options.migrations.slice(0, version));
  } finally {
    database.close();
  }
}

export function damagedText(path: string, reason: string): string {
  return `The database ${path} is damaged (${reason}). It was left as it is; restore a backup.`;
}

export function lostText(path: string): string {
  return (
    `The database ${path} is missing or empty although this data directory had keys, so it held data before. ` +
    "Restore a backup; to begin anew, set another DATA_DIR."
  );
}

function refuseEmpty(database: DatabaseSync, path: string, mustExist: boolean): void {
  if (mustExist) throw new StartError(lostText(path));
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
  if (tables !== 0) {
    throw new StartError(`${path} is a database of another program. Move it away, or set another DATA_DIR.`);
  }
}

/** A flipped byte in the text of a table or trigger can still be SQL, only of another meaning. */
function refuseOtherSchema(
  database: DatabaseSync,
  path: string,
  applied: readonly NumberedMigration[],
): void {
  const model = new DatabaseSync(":memory:");
  try {
    for (const migration of applied) model.exec(migration.sql);
    const wanted = schemaOf(model);
    const found = schemaOf(database);
    // A newer store has tables this program does not know; its version is what refuses it.
    for (const [name, text] of wanted) {
      if (found.get(name) !== text) throw new StartError(damagedText(path, `the definition of ${name}`));
    }
  } finally {
    model.close();
  }
}

function schemaOf(database: DatabaseSync): Map<string, string> {
  const rows = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema").all();
  return new Map(
    rows
      .filter(({ name }) => !String(name).startsWith("sqlite_"))
      .map((row) => [
        `${String(row.type)} ${String(row.name)}`,
        `${String(row.tbl_name)} ${String(row.sql)}`,
      ]),
  );
}
