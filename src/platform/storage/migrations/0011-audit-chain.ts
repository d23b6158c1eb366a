/**
 * Where each chain of the audit ends, and its signed checkpoints. Rows are kept as they are written, but for those that
 * a signed checkpoint of kind `start` has left behind: retention signs one, and cuts there.
 */
export const sql = `
CREATE TABLE audit_head (
  chain TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  checkpoint INTEGER NOT NULL,
  checkpoint_seq INTEGER NOT NULL,
  checkpoint_time INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_checkpoint (
  chain TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('start', 'regular')),
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  hash BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (chain, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_seq ON audit (seq, chain);
CREATE INDEX audit_by_actor ON audit (actor, seq);
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
WHEN OLD.number >= coalesce(
  (SELECT max(number) FROM audit_checkpoint WHERE chain = OLD.chain AND kind = 'start'), 0)
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are append-only'); END;
DROP TRIGGER audit_no_delete;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN OLD.seq > coalesce(
  (SELECT max(seq) FROM audit_checkpoint WHERE chain = OLD.chain AND kind = 'start'), -1)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
`;
