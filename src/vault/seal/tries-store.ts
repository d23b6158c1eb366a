import type { Query } from "#platform/storage/database.ts";
import type { TryRecord } from "./tries.ts";

/** What is known of someone's tries; undefined of one who made none. */
export async function readTries(query: Query, who: string): Promise<TryRecord | undefined> {
  return await query
    .selectFrom("key_try")
    .select(["wrong", "last_at as lastMs", "tries", "since as sinceMs"])
    .where("who", "=", who)
    .executeTakeFirst();
}

/** Stores it in place of what was known. */
export async function writeTries(query: Query, who: string, record: TryRecord): Promise<void> {
  const { wrong, lastMs, tries, sinceMs } = record;
  const row = { wrong, last_at: lastMs, tries, since: sinceMs };
  await query
    .insertInto("key_try")
    .values({ who, ...row })
    .onConflict((conflict) => conflict.column("who").doUpdateSet(row))
    .execute();
}

/** Forgets everything of one. */
export async function deleteTries(query: Query, who: string): Promise<void> {
  await query.deleteFrom("key_try").where("who", "=", who).execute();
}

/** Forgets whose last try was before `beforeMs`, and of the others all but the newest `most`. */
export async function trimTries(query: Query, most: number, beforeMs: number): Promise<void> {
  await query.deleteFrom("key_try").where("last_at", "<", beforeMs).execute();
  const tooMany = query.selectFrom("key_try").select("who").orderBy("last_at", "desc").limit(-1).offset(most);
  await query.deleteFrom("key_try").where("who", "in", tooMany).execute();
}
