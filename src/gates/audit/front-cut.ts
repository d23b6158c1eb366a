import type { Query } from "#platform/storage/database.ts";
import type { AuditColumns, ChainKeys, Head } from "./chain-keys.ts";
import { ADOPT } from "./chain-start.ts";
import {
  chainNames,
  deleteUpTo,
  highestCheckpoint,
  insertCheckpoint,
  lastRow,
  readHead,
  rowsOfChain,
  startOfChain,
  targetsOf,
  writeHead,
} from "./store.ts";

/** Rows that go in one transaction: some milliseconds. */
const ROWS_AT_ONCE = 100;
const NO_HASH = new Uint8Array(32);

/** What is too old, or too much. */
export interface FrontLimit {
  /** Rows from before this go: milliseconds since the epoch. */
  readonly beforeMs: number;
  /** At most so many stay. */
  readonly maxRows: number;
}

/** `broken`: the next row is not as it was written. It stays, with all behind it, for whoever looks into that. */
export type FrontCut = { readonly rows: number; readonly broken?: true };

/**
 * Removes the oldest rows of the store, a few, within a transaction: those that other chains left first. What goes is vouched for
 * by a signed checkpoint of kind `start`, which names the last of it: docs/formats/audit-record.md. The last row stays.
 */
export async function cutFront(
  query: Query,
  keys: ChainKeys,
  limit: FrontLimit & { readonly nowMs: number },
): Promise<FrontCut> {
  const stored = await readHead(query, keys);
  if (stored?.genuine !== true) return { rows: 0 };
  const { head } = stored;
  const isOld = (row: AuditColumns) =>
    row.seq < head.seq && (row.time < limit.beforeMs || row.seq <= head.seq - limit.maxRows);
  const others = await vouchedChains(query, keys);
  for (const chain of others) {
    const last = await lastRow(query, chain);
    if (last === undefined || !isOld(last)) continue;
    const rows = await rowsOfChain(query, chain, { after: -1, limit: ROWS_AT_ONCE });
    return cut(query, keys, { chain, rows, head, nowMs: limit.nowMs });
  }
  const start = await startOfChain(query, keys.chain);
  if (start === undefined || !keys.isCheckpointSigned(start)) return { rows: 0, broken: true };
  const next = await rowsOfChain(query, keys.chain, { after: start.seq, limit: ROWS_AT_ONCE });
  const { rows, broken } = genuineRows(keys, start, next.slice(0, prefix(next, isOld)));
  // What another chain left is vouched for by such a row, for as long as it is there.
  const vouching = rows.findIndex(({ action, target }) => action === ADOPT && names(others, target));
  const going = vouching === -1 ? rows : rows.slice(0, vouching);
  const done = await cut(query, keys, { chain: keys.chain, rows: going, head, nowMs: limit.nowMs });
  return broken ? { ...done, broken: true } : done;
}

async function cut(
  query: Query,
  keys: ChainKeys,
  what: {
    readonly chain: string;
    readonly rows: readonly AuditColumns[];
    readonly head: Head;
    readonly nowMs: number;
  },
): Promise<FrontCut> {
  const { chain, rows, head, nowMs } = what;
  const last = rows.at(-1);
  if (last === undefined) return { rows: 0 };
  const isOwn = chain === keys.chain;
  const highest = await highestCheckpoint(query, chain);
  const number = (isOwn ? Math.max(highest, head.checkpoint) : highest) + 1;
  const hash = last.hash ?? NO_HASH;
  const start = { chain, number, kind: "start", seq: last.seq, time: nowMs, hash } as const;
  await insertCheckpoint(query, { ...start, signature: keys.signCheckpoint(start) });
  if (isOwn)
    await writeHead(query, keys, {
      ...head,
      checkpoint: number,
      checkpoint_seq: last.seq,
      checkpoint_time: nowMs,
    });
  await deleteUpTo(query, { chain, seq: last.seq, checkpoint: number });
  return { rows: rows.length };
}

/** The chains with rows here that the own one vouches for. */
async function vouchedChains(query: Query, keys: ChainKeys): Promise<string[]> {
  const targets = await targetsOf(query, keys.chain, ADOPT);
  const present = await chainNames(query);
  return present.filter((chain) => chain !== keys.chain && targets.some((target) => names([chain], target)));
}

function names(chains: readonly string[], target: string | null): boolean {
  return chains.some((chain) => target?.startsWith(`${chain} `) === true);
}

function prefix(rows: readonly AuditColumns[], fits: (row: AuditColumns) => boolean): number {
  const end = rows.findIndex((row) => !fits(row));
  return end === -1 ? rows.length : end;
}

/** Those up to the first that does not go on from the one before: what was tampered with must not vanish for its age. */
function genuineRows(
  keys: ChainKeys,
  start: { readonly seq: number; readonly hash: Uint8Array },
  rows: readonly AuditColumns[],
): { rows: AuditColumns[]; broken: boolean } {
  let { seq, hash } = start;
  const genuine: AuditColumns[] = [];
  for (const row of rows) {
    const isNext = row.seq === seq + 1 && row.hash !== null && keys.rowHash(hash, row).equals(row.hash);
    if (!isNext) return { rows: genuine, broken: true };
    genuine.push(row);
    seq = row.seq;
    hash = row.hash ?? NO_HASH;
  }
  return { rows: genuine, broken: false };
}
