import { sql } from "kysely";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { Query } from "#platform/storage/database.ts";
import type { AuditColumns, ChainKeys, Checkpoint, Head } from "./chain-keys.ts";

/** What a list of rows is narrowed to; all of it must be true of a row. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly outcome?: AuditColumns["outcome"] | undefined;
  /** Milliseconds since the epoch, itself included. */
  readonly sinceMs?: number | undefined;
  /** Milliseconds since the epoch, itself left out. */
  readonly untilMs?: number | undefined;
  /** Numbers above this one. */
  readonly afterSeq?: number | undefined;
}

/** Where a page begins: behind this row, in the order of the list. */
export interface RowPlace {
  readonly seq: number;
  readonly chain: string;
}

export interface StoredHead {
  readonly head: Head;
  /** Whether its MAC is the one that whoever has the chain's secret makes. */
  readonly genuine: boolean;
}

/** Where the chain ends, as the store has it. */
export async function readHead(query: Query, keys: ChainKeys): Promise<StoredHead | undefined> {
  const row = await query
    .selectFrom("audit_head")
    .selectAll()
    .where("chain", "=", keys.chain)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { mac, ...head } = row;
  return { head, genuine: constantTimeEqual(mac, keys.headMac(head)) };
}

/** Puts the head in the place of the one before. */
export async function writeHead(query: Query, keys: ChainKeys, head: Head): Promise<void> {
  const row = { ...head, mac: keys.headMac(head) };
  await query
    .insertInto("audit_head")
    .values(row)
    .onConflict((conflict) => conflict.column("chain").doUpdateSet(row))
    .execute();
}

export async function insertCheckpoint(query: Query, checkpoint: Checkpoint): Promise<void> {
  await query.insertInto("audit_checkpoint").values(checkpoint).execute();
}

/** Rows that have their numbers and hashes. */
export async function insertRows(query: Query, rows: readonly AuditColumns[]): Promise<void> {
  await query.insertInto("audit").values(rows).execute();
}

/** The last row of a chain. */
export function lastRow(query: Query, chain: string): Promise<AuditColumns | undefined> {
  return query
    .selectFrom("audit")
    .selectAll()
    .where("chain", "=", chain)
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** The row of this number in a chain. */
export function rowAt(query: Query, chain: string, seq: number): Promise<AuditColumns | undefined> {
  return query
    .selectFrom("audit")
    .selectAll()
    .where("chain", "=", chain)
    .where("seq", "=", seq)
    .executeTakeFirst();
}

/** The highest number of a row in any chain; 0 without rows. */
export async function highestSeq(query: Query): Promise<number> {
  const row = await query
    .selectFrom("audit")
    .select((select) => select.fn.max("seq").as("seq"))
    .executeTakeFirst();
  return Number(row?.seq ?? 0);
}

/** The highest number of a checkpoint of a chain; 0 without any. */
export async function highestCheckpoint(query: Query, chain: string): Promise<number> {
  const row = await query
    .selectFrom("audit_checkpoint")
    .select((select) => select.fn.max("number").as("number"))
    .where("chain", "=", chain)
    .executeTakeFirst();
  return Number(row?.number ?? 0);
}

/** The chains that have rows in this store. Steps from one to the next, however many rows each has. */
export async function chainNames(query: Query): Promise<string[]> {
  const found = await sql<{ chain: string | null }>`
    WITH RECURSIVE names (chain) AS (
      SELECT min(chain) FROM audit
      UNION ALL SELECT (SELECT min(chain) FROM audit WHERE chain > names.chain) FROM names
      WHERE names.chain IS NOT NULL)
    SELECT chain FROM names WHERE chain IS NOT NULL`.execute(query);
  return found.rows.flatMap(({ chain }) => (chain === null ? [] : [chain]));
}

/** Up to `limit` rows that fit the filter, from `after` on, the newest (or the oldest) first. */
export function findRows(
  query: Query,
  page: {
    readonly filter: AuditFilter;
    readonly order: "newest" | "oldest";
    readonly after: RowPlace | undefined;
    readonly limit: number;
  },
): Promise<AuditColumns[]> {
  const { filter, after } = page;
  const [direction, beyond] = page.order === "newest" ? (["desc", "<"] as const) : (["asc", ">"] as const);
  let rows = query.selectFrom("audit").selectAll();
  for (const column of ["actor", "action", "target", "outcome"] as const) {
    const wanted = filter[column];
    if (wanted !== undefined) rows = rows.where(column, "=", wanted);
  }
  if (filter.sinceMs !== undefined) rows = rows.where("time", ">=", filter.sinceMs);
  if (filter.untilMs !== undefined) rows = rows.where("time", "<", filter.untilMs);
  if (filter.afterSeq !== undefined) rows = rows.where("seq", ">", filter.afterSeq);
  if (after !== undefined)
    rows = rows.where((where) =>
      where(where.refTuple("seq", "chain"), beyond, where.tuple(after.seq, after.chain)),
    );
  return rows.orderBy("seq", direction).orderBy("chain", direction).limit(page.limit).execute();
}

/** Up to `limit` rows of one chain with numbers above `after`, in order. */
export function rowsOfChain(
  query: Query,
  chain: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<AuditColumns[]> {
  return query
    .selectFrom("audit")
    .selectAll()
    .where("chain", "=", chain)
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(limit)
    .execute();
}

/** Where the rows of the chain begin: its newest checkpoint of kind `start`. */
export function startOfChain(query: Query, chain: string): Promise<Checkpoint | undefined> {
  return query
    .selectFrom("audit_checkpoint")
    .selectAll()
    .where("chain", "=", chain)
    .where("kind", "=", "start")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** What the records of this action in a chain are about, in order. */
export async function targetsOf(query: Query, chain: string, action: string): Promise<string[]> {
  const rows = await query
    .selectFrom("audit")
    .select("target")
    .where("chain", "=", chain)
    .where("action", "=", action)
    .orderBy("seq")
    .execute();
  return rows.flatMap(({ target }) => (target === null ? [] : [target]));
}

/** Old checkpoints that go with some rows. */
const CHECKPOINTS_AT_ONCE = 500;

/** Removes the rows of a chain up to `seq`, and some checkpoints before the one of this number: it must be of kind `start`. */
export async function deleteUpTo(
  query: Query,
  { chain, seq, checkpoint }: { readonly chain: string; readonly seq: number; readonly checkpoint: number },
): Promise<void> {
  await query.deleteFrom("audit").where("chain", "=", chain).where("seq", "<=", seq).execute();
  const old = query
    .selectFrom("audit_checkpoint")
    .select("number")
    .where("chain", "=", chain)
    .where("number", "<", checkpoint)
    .orderBy("number")
    .limit(CHECKPOINTS_AT_ONCE);
  await query.deleteFrom("audit_checkpoint").where("chain", "=", chain).where("number", "in", old).execute();
}
