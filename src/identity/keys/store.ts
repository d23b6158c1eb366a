import { type Selectable, sql } from "kysely";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

/** A key as the store has it. */
export type StoredKey = Omit<Selectable<Tables["api_key"]>, "lower_name">;
/** Where a key stands in the order of their making. */
export type KeyPlace = Pick<StoredKey, "created_at" | "id">;
/** What of a stored key every thread must know. */
export type LoadedKey = Omit<StoredKey, "name" | "last4" | "replaced_by" | "last_address">;

export const LISTED = [
  "id",
  "name",
  "last4",
  "permissions",
  "limits",
  "created_at",
  "revoked_at",
  "last_used_at",
  "models",
  "allowed_ips",
  "expires_at",
  "replaces",
  "replaced_by",
  "last_address",
] as const;
const LOADED = [
  "id",
  "digest",
  "permissions",
  "limits",
  "created_at",
  "revoked_at",
  "last_used_at",
  "models",
  "allowed_ips",
  "expires_at",
  "replaces",
] as const;
/** Read from a message in about a millisecond, which nothing else waits for longer. */
const LOADED_AT_ONCE = 500;

/** A key as lists show it. */
export type ListedKey = Pick<StoredKey, (typeof LISTED)[number]>;

/** How many keys were ever issued. */
export async function countKeys(query: Query): Promise<number> {
  const count = query.fn.countAll<number>().as("count");
  return (await query.selectFrom("api_key").select(count).executeTakeFirstOrThrow()).count;
}

/** Every key ever issued, oldest first, some at a time; the next are fetched while the last are worked on. */
export async function* loadKeys(query: Query): AsyncGenerator<readonly LoadedKey[]> {
  let next = loadAfter(query, undefined);
  for (;;) {
    const rows = await next;
    const last = rows.at(-1);
    if (last === undefined) return;
    next = loadAfter(query, last);
    // Should this loop be left before it is awaited, nobody is there to hear that it failed.
    next.catch(() => undefined);
    yield rows;
  }
}

function loadAfter(query: Query, last: KeyPlace | undefined): Promise<LoadedKey[]> {
  const keys = query.selectFrom("api_key").select(LOADED).orderBy("created_at").orderBy("id");
  const rest =
    last === undefined
      ? keys
      : keys.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("created_at", "id"), ">", tuple(last.created_at, last.id)),
        );
  return rest.limit(LOADED_AT_ONCE).execute();
}

/** The key of this id, revoked or not. */
export function findKey(query: Query, id: string): Promise<ListedKey | undefined> {
  return query.selectFrom("api_key").select(LISTED).where("id", "=", id).executeTakeFirst();
}

/** The ids of this key, of those it replaced, one after another, and of those that replaced it. */
export async function rotatedWith(query: Query, id: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`WITH RECURSIVE chain (id, replaces, replaced_by) AS (
      SELECT id, replaces, replaced_by FROM api_key WHERE id = ${id}
      UNION SELECT k.id, k.replaces, k.replaced_by FROM chain
        JOIN api_key k ON k.id = chain.replaces OR k.id = chain.replaced_by
    ) SELECT id FROM chain`.execute(query);
  return rows.map((row) => row.id);
}

/** The key with this name that is not revoked. */
export function findNamedKey(query: Query, name: string): Promise<ListedKey | undefined> {
  const named = query.selectFrom("api_key").select(LISTED).where("name", "=", name);
  return named.where("revoked_at", "is", null).executeTakeFirst();
}

export async function insertKey(query: Query, key: StoredKey): Promise<void> {
  await query.insertInto("api_key").values(key).execute();
}

/** Changes these columns of a key. */
export async function updateKey(query: Query, id: string, columns: Partial<ListedKey>): Promise<void> {
  await query.updateTable("api_key").set(columns).where("id", "=", id).execute();
}

/** Marks the key revoked; false when it already was. */
export async function revokeKey(query: Query, id: string, revokedAt: number): Promise<boolean> {
  const result = await query
    .updateTable("api_key")
    .set({ revoked_at: revokedAt })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Sets the last use of each of these keys (a few hundred at most), all or none; an address not known stays. */
export async function setLastUsed(
  query: Query,
  uses: readonly { readonly id: string; readonly usedAt: number; readonly address: string | undefined }[],
): Promise<void> {
  const rows = sql.join(uses.map(({ id, usedAt, address }) => sql`(${id}, ${usedAt}, ${address ?? null})`));
  await sql`WITH used (id, at, address) AS (VALUES ${rows})
    UPDATE api_key SET last_used_at = used.at, last_address = coalesce(used.address, last_address)
    FROM used WHERE api_key.id = used.id`.execute(query);
}

/** What a key asked for. */
export type AskedRequest = Pick<
  Selectable<Tables["request"]>,
  "time" | "request_id" | "provider" | "model" | "status"
>;

/**
 * The newest requests of a key, the newest first. The index of the request rows is by the hour; what came in within the last
 * seconds is not in it yet.
 */
export async function newestRequests(query: Query, id: string, limit: number): Promise<AskedRequest[]> {
  const columns = sql`seq, time, request_id, provider, model, status`;
  const newest = sql`ORDER BY time DESC, seq DESC LIMIT ${limit}`;
  const { rows } = await sql<AskedRequest>`
    WITH RECURSIVE hours (hour) AS (
      SELECT max(hour) FROM request_index
      UNION ALL SELECT hour - 1 FROM hours WHERE hour > (SELECT min(hour) FROM request_index)
    ) SELECT time, request_id, provider, model, status FROM (
      SELECT * FROM (SELECT ${columns} FROM request NOT INDEXED
        WHERE seq > (SELECT summed FROM usage_progress) AND principal = ${id} ${newest})
      UNION ALL SELECT ${columns} FROM hours CROSS JOIN request ON seq IN (
        SELECT entry.seq FROM request_index AS entry WHERE entry.hour = hours.hour AND kind = 1 AND value = ${id}
        ORDER BY at DESC, entry.seq DESC LIMIT ${limit}) AND principal = ${id}
    ) ${newest}`.execute(query);
  return rows;
}
