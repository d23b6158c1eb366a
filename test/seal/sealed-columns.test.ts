import { sql } from "kysely";
import { expect, test } from "vitest";
import { SEALED_COLUMNS } from "../../src/app/sealed-columns.ts";
import { SealedStore } from "./sealed-store.ts";

test("[S7] every column of sealed values is known to who seals them anew, with its table's primary key", async () => {
  await using store = await SealedStore.start();
  const found = await sql<{ table: string; column: string }>`
    SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND c.name LIKE '%sealed%'`.execute(store.database.query);
  const keys = await sql<{ table: string; key: string }>`
    SELECT t.name AS "table", c.name AS "key" FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND c.pk > 0`.execute(store.database.query);
  const keyOf = (table: string) => keys.rows.filter((row) => row.table === table).map(({ key }) => key);
  expect(found.rows.map(({ table, column }) => ({ table, column, keys: keyOf(table) }))).toEqual(
    SEALED_COLUMNS.map(({ table, column, key }) => ({ table, column, keys: [key] })),
  );
});
