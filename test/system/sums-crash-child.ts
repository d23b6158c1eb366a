/* Inserts rows and sums them, without end, telling after each slice how many rows it was answered for. */

import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { requestRow } from "#test/request-row.ts";
import { sumNewRows } from "../../src/services/gateway/sums/store.ts";

const database = await openSqlite({ dataDir: process.argv[2] ?? "", clock: new FakeClock() });
for (let inserted = 0; ; ) {
  const rows = Array.from({ length: 50 }, (_, number) =>
    requestRow({
      time: Date.UTC(2026, 0, 10) + ((inserted + number) % 300) * 60_000,
      request_id: `req_${inserted + number}`,
      principal: `key_${number % 7}`,
    }),
  );
  await database.insertRows("request", rows);
  inserted += rows.length;
  await database.transaction((query) => sumNewRows(query, { rows: 40, minutesFrom: 0 }));
  process.stdout.write(`${inserted}\n`);
}
