/** Tries of the server key that were not right: they slow down the next ones, also after a restart. */
export const sql = `
CREATE TABLE key_try (
  who TEXT PRIMARY KEY, wrong INTEGER NOT NULL, last_at INTEGER NOT NULL, tries INTEGER NOT NULL, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX key_try_last ON key_try (last_at);
`;
