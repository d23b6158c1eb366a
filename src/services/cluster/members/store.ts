import type { Database, Query } from "#platform/storage/database.ts";
import { type MemberRecord, memberRecord } from "./member-record.ts";

/** A record as it lies in the database. */
export interface StoredMember {
  readonly record: MemberRecord;
  /** Milliseconds since the Unix epoch: when this server heard of it last, at first when it learnt of it. */
  readonly lastSeenMs: number;
}

/** The members of this cluster; `onDamaged` is told the id of each row that holds no record, and that is left out. */
export async function readMembers(
  query: Query,
  clusterId: string,
  onDamaged: (id: string) => void,
): Promise<StoredMember[]> {
  const rows = await query
    .selectFrom("cluster_member")
    .selectAll()
    .where("cluster_id", "=", clusterId)
    .orderBy("id")
    .execute();
  return rows.flatMap(({ id, record, last_seen_ms: lastSeenMs }) => {
    const parsed = memberRecord.safeParse(parseJson(record));
    if (parsed.success && parsed.data.id === id)
      return [{ record: parsed.data, lastSeenMs: lastSeenMs ?? 0 }];
    onDamaged(id);
    return [];
  });
}

/** Writes these over what stands of the same nodes; `nowMs` is when those were learnt of that are new. */
export async function writeMembers(
  query: Query,
  clusterId: string,
  { records, nowMs }: { readonly records: readonly MemberRecord[]; readonly nowMs: number },
): Promise<void> {
  for (const record of records) {
    const text = JSON.stringify(record);
    await query
      .insertInto("cluster_member")
      .values({ cluster_id: clusterId, id: record.id, record: text, last_seen_ms: nowMs })
      .onConflict((conflict) => conflict.columns(["cluster_id", "id"]).doUpdateSet({ record: text }))
      .execute();
  }
}

/** Forgets these nodes. */
export async function removeMembers(query: Query, clusterId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const removal = query.deleteFrom("cluster_member").where("cluster_id", "=", clusterId);
  await removal.where("id", "in", [...ids]).execute();
}

/** Forgets all nodes, of whatever cluster: files that are closed do not say which it was. */
export async function removeAllMembers(query: Query): Promise<void> {
  await query.deleteFrom("cluster_member").execute();
}

/** Keeps when nodes were heard of last, by their ids. */
export async function writeLastSeen(
  database: Database,
  clusterId: string,
  seen: ReadonlyMap<string, number>,
): Promise<void> {
  if (seen.size === 0) return;
  await database.transaction(async (query) => {
    for (const [id, ms] of seen)
      await query
        .updateTable("cluster_member")
        .set({ last_seen_ms: ms })
        .where("cluster_id", "=", clusterId)
        .where("id", "=", id)
        .execute();
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
