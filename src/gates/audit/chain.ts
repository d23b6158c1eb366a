import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import type { AuditColumns, ChainKeys, Checkpoint, Head, Point } from "./chain-keys.ts";
import type { TimedEntry } from "./record.ts";
import { highestSeq, insertCheckpoint, insertRows, readHead, writeHead } from "./store.ts";

/**
 * Writes the entries, in order, at the end of the chain. `query` must be a transaction: where the chain ends is read, and
 * then written, so that a change that is undone leaves no gap, and no two writers take the same number.
 */
export async function appendEntries(
  query: Query,
  keys: ChainKeys,
  entries: readonly TimedEntry[],
): Promise<void> {
  const head = await headToWriteAt(query, keys, entries[0]?.time ?? 0);
  let { seq, hash } = head;
  const rows = entries.map((entry) => {
    const row = { ...toColumns(entry), chain: keys.chain, seq: seq + 1 };
    hash = keys.rowHash(hash, row);
    seq += 1;
    return { ...row, hash };
  });
  await insertRows(query, rows);
  await writeHead(query, keys, { ...head, seq, hash });
}

/**
 * Signs where the chain ends, unless the newest checkpoint is there already; within a transaction. Gives the point; undefined
 * when there was nothing to sign.
 */
export async function addCheckpoint(
  query: Query,
  keys: ChainKeys,
  nowMs: number,
): Promise<Point | undefined> {
  const stored = await readHead(query, keys);
  if (stored === undefined || !stored.genuine || stored.head.seq === stored.head.checkpoint_seq)
    return undefined;
  const { seq, hash, checkpoint } = stored.head;
  const number = checkpoint + 1;
  await insertCheckpoint(
    query,
    signed(keys, { chain: keys.chain, number, kind: "regular", seq, time: nowMs, hash }),
  );
  await writeHead(query, keys, {
    ...stored.head,
    checkpoint: number,
    checkpoint_seq: seq,
    checkpoint_time: nowMs,
  });
  return { chain: keys.chain, seq, hash, checkpoint: number, time: nowMs };
}

/** Begins the chain behind every row of the store, with a signed checkpoint that says where. */
export async function beginChain(query: Query, keys: ChainKeys, nowMs: number): Promise<Head> {
  const { chain } = keys;
  const seq = await highestSeq(query);
  const hash = keys.genesis(seq);
  await insertCheckpoint(query, signed(keys, { chain, number: 1, kind: "start", seq, time: nowMs, hash }));
  const head = { chain, seq, hash, checkpoint: 1, checkpoint_seq: seq, checkpoint_time: nowMs };
  await writeHead(query, keys, head);
  return head;
}

async function headToWriteAt(query: Query, keys: ChainKeys, nowMs: number): Promise<Head> {
  const stored = await readHead(query, keys);
  if (stored === undefined) return beginChain(query, keys, nowMs);
  if (stored.genuine) return stored.head;
  // Going on from a forged head would put a seal on the forgery; the next start records the break, and goes on.
  throw new AppError("internal", undefined, { detail: "the head of the audit's chain is forged" });
}

function signed(keys: ChainKeys, checkpoint: Omit<Checkpoint, "signature">): Checkpoint {
  return { ...checkpoint, signature: keys.signCheckpoint(checkpoint) };
}

function toColumns(entry: TimedEntry): Omit<AuditColumns, "chain" | "seq" | "hash"> {
  const { time, actor, action, target, outcome, address, requestId, count } = entry;
  return { time: Math.floor(time), actor, action, target, outcome, address, request_id: requestId, count };
}
