import { toTimestamp } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import type { AuditColumns } from "./chain-keys.ts";
import { type AuditFilter, findRows, type RowPlace } from "./store.ts";

/** A row as the API shows it. `hash` is lower-case hexadecimal. */
export interface AuditRow {
  chain: string;
  seq: number;
  time: string;
  actor: string;
  action: string;
  target: string | null;
  outcome: AuditColumns["outcome"];
  address: string | null;
  request_id: string | null;
  count: number;
  hash: string | null;
}

export interface AuditPage {
  data: AuditRow[];
  next_cursor: string | null;
}

/** Which rows are asked for; the newest first unless said. */
export interface AuditQuestion extends AuditFilter {
  readonly limit: number;
  readonly cursor: string | undefined;
  readonly order?: "newest" | "oldest" | undefined;
}

/** One page. Throws AppError `bad_request` for a cursor this list did not give out. */
export async function listRows(query: Query, asked: AuditQuestion): Promise<AuditPage> {
  const { limit, cursor, order = "newest", ...filter } = asked;
  const after = cursor === undefined ? undefined : parseCursor(cursor);
  const rows = await findRows(query, { filter, order, after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    data: shown.map(shownRow),
    next_cursor: last === undefined ? null : `${last.seq}.${last.chain}`,
  };
}

function parseCursor(cursor: string): RowPlace {
  const [, seq, chain] = /^([0-9]{1,15})\.([A-Za-z0-9_.-]{1,40})$/.exec(cursor) ?? [];
  if (seq === undefined || chain === undefined)
    throw new AppError("bad_request", "The cursor is not one of this list.");
  return { seq: Number(seq), chain };
}

function shownRow(row: AuditColumns): AuditRow {
  const { chain, seq, time, actor, action, target, outcome, address, request_id, count, hash } = row;
  return {
    chain,
    seq,
    time: toTimestamp(time),
    actor,
    action,
    target,
    outcome,
    address,
    request_id,
    count,
    hash: hash === null ? null : Buffer.from(hash).toString("hex"),
  };
}
