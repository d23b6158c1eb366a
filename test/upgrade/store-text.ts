import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

type Value = string | number | bigint | Uint8Array | null;

/** The whole store as SQL text that makes it again: tables, rows, and then what acts on rows. */
export function storeAsText(file: string): string {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  const schema = database.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  const own = schema.filter(({ name }) => !String(name).startsWith("sqlite_"));
  const text = (wanted: (type: string) => boolean) =>
    own.filter(({ type }) => wanted(String(type))).map(({ sql }) => `${String(sql)};`);
  const tables = own.filter(({ type }) => type === "table").map(({ name }) => String(name));
  return [
    ...text((type) => type === "table"),
    ...tables.flatMap((table) => rowsAsText(database, table)),
    ...text((type) => type === "index"),
    ...text((type) => type === "trigger"),
    "",
  ].join("\n");
}

/** Makes the store again; the file must not be there yet. */
export function storeFromText(file: string, text: string): void {
  writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  using database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  database.exec(text);
  database.exec("PRAGMA journal_mode = WAL");
}

function rowsAsText(database: DatabaseSync, table: string): string[] {
  const columns = database
    .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0")
    .all(table)
    .map(({ name }) => String(name));
  const names = columns.map((name) => `"${name}"`).join(", ");
  const rows = database.prepare(`SELECT ${names} FROM "${table}"`).all();
  return rows.map((row) => {
    const values = columns.map((name) => valueAsText(row[name] ?? null));
    return `INSERT INTO "${table}" (${names}) VALUES (${values.join(", ")});`;
  });
}

function valueAsText(value: Value): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
