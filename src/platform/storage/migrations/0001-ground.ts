/** The first tables. The text of a released migration never changes: its checksum is stored. */
export const sql = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE seal_root (id INTEGER PRIMARY KEY CHECK (id = 1), wrapped_by TEXT NOT NULL, wrapped BLOB NOT NULL);
CREATE TABLE seal_term (term INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE provider (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, base_url TEXT NOT NULL,
  position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE credential (
  id TEXT PRIMARY KEY, provider_id TEXT NOT NULL REFERENCES provider(id) ON DELETE CASCADE,
  position INTEGER NOT NULL, type TEXT NOT NULL, origin TEXT NOT NULL, hint TEXT NOT NULL,
  sealed BLOB NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX credential_by_provider ON credential (provider_id, position);
CREATE TABLE api_key (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, last4 TEXT NOT NULL,
  permissions TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER, last_used_at INTEGER
);
CREATE UNIQUE INDEX api_key_live_name ON api_key (name) WHERE revoked_at IS NULL;
CREATE TABLE request (
  seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, request_id TEXT NOT NULL, principal TEXT NOT NULL,
  provider TEXT, model TEXT NOT NULL, route TEXT NOT NULL, status INTEGER NOT NULL, latency_ms REAL NOT NULL,
  first_byte_ms REAL, input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL, streamed INTEGER NOT NULL
);
CREATE TABLE audit (
  chain TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  target TEXT, outcome TEXT NOT NULL, address TEXT, request_id TEXT, count INTEGER NOT NULL, hash BLOB,
  PRIMARY KEY (chain, seq)
);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
`;
