import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { sql } from "kysely";
import { systemClock } from "#platform/lib/clock.ts";
import type { Database } from "#platform/storage/database.ts";
import { MIGRATIONS } from "#platform/storage/migrate.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { MINUTES_KEPT_MS } from "#services/gateway/sums/roll-up.ts";
import { sumNewRows } from "#services/gateway/sums/store.ts";
import { showCount } from "./table.ts";

/** The rows of a filled store: so many keys, models and providers, evenly over so many days. */
export const FILLED = { keys: 1_000, models: 12, providers: 4, days: 30 };

const AT_ONCE = 250_000;
const CACHE = path.resolve(import.meta.dirname, "../.cache");
const DAY_MS = 86_400_000;

/** A data directory whose store has so many request rows; made once for each version of the store, then kept. */
export async function storeOfRequests(count: number): Promise<string> {
  const kept = path.join(CACHE, `bench-requests-${MIGRATIONS.length}-${count}`);
  if (existsSync(kept)) return kept;
  const making = `${kept}-unfinished`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  await using database = await openSqlite({ dataDir: making, clock: systemClock });
  const began = Math.floor(Date.now() / DAY_MS) * DAY_MS - FILLED.days * DAY_MS;
  const minutesFrom = Date.now() - MINUTES_KEPT_MS;
  await addKeys(database);
  for (let from = 0; from < count; from += AT_ONCE) {
    console.error(`filling a store with requests: ${showCount(from)} of ${showCount(count)}`);
    await addRows(database, {
      from,
      to: Math.min(from + AT_ONCE, count),
      began,
      apartMs: (FILLED.days * DAY_MS) / count,
    });
    await database.transaction((query) => sumNewRows(query, { rows: AT_ONCE, minutesFrom }));
  }
  await database.close();
  renameSync(making, kept);
  return kept;
}

/** Revoked ones: they have names, and nobody comes in by them. */
async function addKeys(database: Database): Promise<void> {
  const rows = Array.from({ length: FILLED.keys }, (_, number) => ({
    ...{ id: keyOf(number), name: `key ${number}`, digest: randomBytes(32), last4: "none" },
    ...{ permissions: "[]", limits: "{}", created_at: 0, revoked_at: 0, last_used_at: null },
  }));
  await database.insertRows("api_key", rows);
}

/** Made by the store itself, which takes a fifth of the time. One of 50 is an error; a key uses three models. */
async function addRows(
  database: Database,
  { from, to, began, apartMs }: { from: number; to: number; began: number; apartMs: number },
): Promise<void> {
  await sql`
    INSERT INTO request (time, request_id, principal, provider, model, route, status, latency_ms, first_byte_ms,
      input_tokens, output_tokens, cost_nano_usd, estimated, streamed)
    WITH RECURSIVE number (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ${to}),
      chosen AS MATERIALIZED (SELECT n, abs(random()) AS r FROM number),
      used AS MATERIALIZED (SELECT n, r, r % ${FILLED.keys} AS key, (r % ${FILLED.keys} * 7 + r / 1000 % 3 * 5) % ${FILLED.models} AS model
        FROM chosen)
    SELECT ${began} + CAST(n * ${apartMs} AS INTEGER), 'req_' || hex(randomblob(8)), printf('key_%012d', key),
      printf('provider-%d', model % ${FILLED.providers}), printf('provider-%d/model-%d', model % ${FILLED.providers}, model),
      '/v1/chat/completions', CASE r / 3000 % 50 WHEN 0 THEN CASE r % 3 WHEN 0 THEN 429 WHEN 1 THEN 400 ELSE 502 END
        ELSE 200 END,
      200 + r % 4001 * 1.5, 100 + r % 401, r % 3001, r % 811, r % 1000003, 0, r % 2
    FROM used`.execute(database.query);
}

/** The id of a key of the store. */
export function keyOf(number: number): string {
  return `key_${String(number).padStart(12, "0")}`;
}
