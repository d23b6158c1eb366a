import type { ReadOnlyStore } from "#platform/storage/read-only-store.ts";
import type { AuditColumns, ChainKeys, Checkpoint } from "./chain-keys.ts";
import type { StoredHead } from "./store.ts";

type Row = Readonly<Record<string, unknown>>;

const HASH_BYTES = 32;

/** A record of the audit as a row of the store; undefined for a row that no server writes. */
export function toColumns(row: Row): AuditColumns | undefined {
  const { chain, seq, time, actor, action, target, outcome, address, request_id, count, hash } = row;
  if (typeof chain !== "string" || !isInteger(seq) || !isInteger(time) || !isInteger(count)) return undefined;
  if (typeof actor !== "string" || typeof action !== "string" || !isOutcome(outcome)) return undefined;
  if (!isText(target) || !isText(address) || !isText(request_id)) return undefined;
  if (hash !== null && !isHash(hash)) return undefined;
  return { chain, seq, time, actor, action, target, outcome, address, request_id, count, hash };
}

/** Where the store says that the chain ends. */
export function storedHead(store: ReadOnlyStore, keys: ChainKeys): StoredHead | "malformed" | undefined {
  for (const row of store.rows("SELECT * FROM audit_head WHERE chain = ?", keys.chain)) {
    const { seq, hash, checkpoint, checkpoint_seq, checkpoint_time, mac } = row;
    if (!isInteger(seq) || !isHash(hash) || !isHash(mac)) return "malformed";
    if (!isInteger(checkpoint) || !isInteger(checkpoint_seq) || !isInteger(checkpoint_time))
      return "malformed";
    const head = { chain: keys.chain, seq, hash, checkpoint, checkpoint_seq, checkpoint_time };
    return { head, genuine: keys.headMac(head).equals(mac) };
  }
  return undefined;
}

/** The checkpoints of the chain in order; where one is not what a server signs, its number, or 0. */
export function* storedCheckpoints(store: ReadOnlyStore, keys: ChainKeys): Iterable<Checkpoint | number> {
  const rows = store.rows("SELECT * FROM audit_checkpoint WHERE chain = ? ORDER BY number", keys.chain);
  for (const { number, kind, seq, time, hash, signature } of rows) {
    const named = isInteger(number) ? number : 0;
    if (!isInteger(number) || !isInteger(seq) || !isInteger(time) || !isHash(hash)) yield named;
    else if (!(signature instanceof Uint8Array) || !isKind(kind)) yield named;
    else {
      const checkpoint = { chain: keys.chain, number, kind, seq, time, hash, signature };
      yield keys.isCheckpointSigned(checkpoint) ? checkpoint : number;
    }
  }
}

/** The last row of another chain that the own one removed for its age; undefined where it removed none. */
export function cutOf(store: ReadOnlyStore, keys: ChainKeys, chain: string): number | undefined {
  const sql = "SELECT * FROM audit_checkpoint WHERE chain = ? AND kind = 'start' ORDER BY number DESC";
  for (const { number, seq, time, hash, signature } of store.rows(sql, chain)) {
    if (!isInteger(number) || !isInteger(seq) || !isInteger(time) || !isHash(hash)) continue;
    if (!(signature instanceof Uint8Array)) continue;
    const checkpoint = { chain, number, kind: "start", seq, time, hash, signature } as const;
    if (keys.isCheckpointSigned(checkpoint)) return seq;
  }
  return undefined;
}

/** The rows of a chain in the order of their numbers, from `from` to `to`, both included. */
export function storedRows(
  store: ReadOnlyStore,
  chain: string,
  range: { readonly from: number; readonly to: number },
): Iterable<Row> {
  const sql = "SELECT * FROM audit WHERE chain = ? AND seq BETWEEN ? AND ? ORDER BY seq";
  return store.rows(sql, chain, range.from, range.to);
}

/** How many rows each chain has, but the own; as text, whatever the column holds. */
export function otherChains(store: ReadOnlyStore, keys: ChainKeys): { chain: string; rows: number }[] {
  const sql =
    "SELECT CAST(chain AS TEXT) AS chain, count(*) AS rows FROM audit WHERE chain IS NOT ? GROUP BY 1";
  return [...store.rows(sql, keys.chain)].map(({ chain, rows }) => ({
    chain: String(chain),
    rows: Number(rows),
  }));
}

/** One number that a query gives; 0 for none. */
export function storedNumber(store: ReadOnlyStore, sql: string, ...parameters: (string | number)[]): number {
  for (const row of store.rows(sql, ...parameters)) return Number(Object.values(row)[0] ?? 0);
  return 0;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isOutcome(value: unknown): value is AuditColumns["outcome"] {
  return value === "success" || value === "failure" || value === "denied";
}

function isKind(value: unknown): value is Checkpoint["kind"] {
  return value === "start" || value === "regular";
}

function isHash(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === HASH_BYTES;
}
