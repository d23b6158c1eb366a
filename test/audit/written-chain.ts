import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readAuditSecret } from "#platform/config/secrets.ts";
import { Anchor } from "../../src/gates/audit/anchor.ts";
import { ChainKeys, type Checkpoint } from "../../src/gates/audit/chain-keys.ts";
import { storeOf } from "./audited-server.ts";

const CHECKPOINT_ROWS = 1000;
const FIRST_MS = Date.UTC(2026, 0, 1);
const ACTORS = ["key_4fT0qJ7c2LxV", "local", "anonymous", "key_9aZqLw31bnMk"];

/**
 * Writes this many records into the store of a stopped server that has none yet, as the server does but in one transaction:
 * each with its hash, a checkpoint every thousand, the head, the anchor.
 */
export async function writeChain(dataDir: string, rows: number): Promise<void> {
  const secret = readAuditSecret(dataDir);
  if (secret === undefined) throw new Error("there is no audit secret");
  const keys = new ChainKeys(secret);
  const store = new DatabaseSync(storeOf(dataDir), { timeout: 5000 });
  store.exec("PRAGMA synchronous = OFF; BEGIN");
  const insert = store.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  let hash = keys.genesis(0);
  let last = { seq: 0, number: 1 };
  for (let seq = 1; seq <= rows; seq++) {
    const row = rowOf(keys.chain, seq);
    hash = keys.rowHash(hash, row);
    const { time, actor, action, target, outcome, address, request_id, count } = row;
    insert.run(keys.chain, seq, time, actor, action, target, outcome, address, request_id, count, hash);
    if (seq % CHECKPOINT_ROWS !== 0 && seq !== rows) continue;
    last = { seq, number: last.number + 1 };
    insertCheckpoint(store, keys, { chain: keys.chain, ...last, kind: "regular", time, hash });
  }
  const time = FIRST_MS + rows;
  const head = {
    chain: keys.chain,
    seq: rows,
    hash,
    checkpoint: last.number,
    checkpoint_seq: last.seq,
    checkpoint_time: time,
  };
  store
    .prepare("INSERT OR REPLACE INTO audit_head VALUES (?, ?, ?, ?, ?, ?, ?)")
    .run(...Object.values(head), keys.headMac(head));
  store.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  store.close();
  await new Anchor(path.join(dataDir, "db"), keys).write({ ...head, time });
}

function insertCheckpoint(
  store: DatabaseSync,
  keys: ChainKeys,
  checkpoint: Omit<Checkpoint, "signature">,
): void {
  const { chain, number, kind, seq, time, hash } = checkpoint;
  store
    .prepare("INSERT INTO audit_checkpoint VALUES (?, ?, ?, ?, ?, ?, ?)")
    .run(chain, number, kind, seq, time, hash, keys.signCheckpoint(checkpoint));
}

function rowOf(chain: string, seq: number) {
  return {
    chain,
    seq,
    time: FIRST_MS + seq,
    actor: ACTORS[seq % ACTORS.length] ?? "local",
    action: seq % 3 === 0 ? "key.create" : "models.read",
    target: seq % 5 === 0 ? null : `/v1/models/${seq % 1000}`,
    outcome: seq % 3 === 0 ? ("success" as const) : ("denied" as const),
    address: `192.0.2.${seq % 256}`,
    request_id: `req_${String(seq).padStart(16, "0")}`,
    count: 1 + (seq % 7),
  };
}
