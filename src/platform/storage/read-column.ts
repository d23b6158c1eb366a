import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "#platform/lib/error.ts";
import type { Tables } from "./tables.ts";

const BUSY_TIMEOUT_MS = 1000;
const EXIT_IOERR = 74;

/**
 * Every value of a column of texts, of a store that no server has open: nothing is changed, and an older store is not
 * brought to this program's version. Undefined without a store, or where it is too old to have the table. Throws
 * StartError (74) for one that cannot be read.
 */
export function readColumn<Table extends keyof Tables & string>(
  dataDir: string,
  { table, column }: { readonly table: Table; readonly column: keyof Tables[Table] & string },
): string[] | undefined {
  const path = join(dataDir, "db", "data.sqlite");
  if (!existsSync(path)) return undefined;
  try {
    using database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const known = database
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
      .get(table);
    if (known === undefined) return undefined;
    return database
      .prepare(`SELECT "${column}" AS value FROM "${table}"`)
      .all()
      .map(({ value }) => String(value));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new StartError(`The database ${path} cannot be read: ${reason}.`, { exitCode: EXIT_IOERR, cause });
  }
}
