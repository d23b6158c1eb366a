import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";
import type { AuditEntry } from "./record.ts";

const CHAIN = "main";

export type TimedEntry = AuditEntry & { readonly time: number };

/** A row as the API shows it. `hash` is lower-case hexadecimal. */
export interface AuditRow {
  chain: string;
  seq: number;
  time: string;
  actor: string;
  action: string;
  target: string | null;
  outcome: AuditEntry["outcome"];
  address: string | null;
  request_id: string | null;
  count: number;
  hash: string | null;
}

export interface AuditPage {
  data: AuditRow[];
  next_cursor: string | null;
}

/**
 * Writes the entries, in order, at the end of the chain. `query` must be a transaction: the next number is read
 * and then used, and only the serialisation of transactions keeps two writers from the same one.
 */
export async function appendEntries(query: Query, entries: readonly TimedEntry[]): Promise<void> {
  const last = await query
    .selectFrom("audit")
    .select((select) => select.fn.max("seq").as("seq"))
    .where("chain", "=", CHAIN)
    .executeTakeFirst();
  const first = Number(last?.seq ?? 0) + 1;
  const rows = entries.map((entry, index) => toRow(entry, first + index));
  await query.insertInto("audit").values(rows).execute();
}

/** One page, newest first. Throws AppError `bad_request` for a cursor this list did not give out. */
export async function listEntries(
  query: Query,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<AuditPage> {
  const before = page.cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(page.cursor);
  const rows = await query
    .selectFrom("audit")
    .selectAll()
    .where("chain", "=", CHAIN)
    .where("seq", "<", before)
    .orderBy("seq", "desc")
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return { data: shown.map(fromRow), next_cursor: last === undefined ? null : String(last.seq) };
}

function parseCursor(cursor: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(cursor))
    throw new AppError("bad_request", "The cursor is not one of this list.");
  return Number(cursor);
}

function toRow({ requestId, ...entry }: TimedEntry, seq: number): Tables["audit"] {
  return { ...entry, chain: CHAIN, seq, request_id: requestId, hash: null };
}

function fromRow(row: Tables["audit"]): AuditRow {
  const hash = row.hash === null ? null : Buffer.from(row.hash).toString("hex");
  return {
    chain: row.chain,
    seq: row.seq,
    time: toTimestamp(row.time),
    actor: row.actor,
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    address: row.address,
    request_id: row.request_id,
    count: row.count,
    hash,
  };
}
