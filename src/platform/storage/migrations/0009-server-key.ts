/** Slots: each wraps the root key its own way. The machine key's is carried over; its wrapped bytes keep their place. */
export const sql = `
CREATE TABLE seal_slot (
  kind TEXT PRIMARY KEY CHECK (kind IN ('machine', 'passphrase', 'recovery')), wrapped BLOB NOT NULL,
  salt BLOB, memory_kib INTEGER, passes INTEGER, lanes INTEGER, verifier BLOB, wrapping_key BLOB, created_at INTEGER NOT NULL,
  CHECK (kind <> 'passphrase' OR (salt IS NOT NULL AND memory_kib BETWEEN 8 AND 4194304 AND passes BETWEEN 1 AND 64
    AND lanes BETWEEN 1 AND 16 AND verifier IS NOT NULL)),
  CHECK (kind <> 'recovery' OR wrapping_key IS NOT NULL)
);
INSERT INTO seal_slot (kind, wrapped, created_at)
  SELECT wrapped_by, wrapped, coalesce((SELECT min(created_at) FROM seal_term), 0) FROM seal_root;
DROP TABLE seal_root;
CREATE TABLE seal_state (id INTEGER PRIMARY KEY CHECK (id = 1), locked_at INTEGER, cleaning INTEGER NOT NULL);
INSERT INTO seal_state (id, locked_at, cleaning) VALUES (1, NULL, 0);
`;
