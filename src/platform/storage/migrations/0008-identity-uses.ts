/** When each identity of the configuration file was last used; it stays when the file drops the identity. */
export const sql = `
CREATE TABLE identity_use (
  id TEXT PRIMARY KEY,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
