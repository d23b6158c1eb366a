/**
 * Upstream secrets under a name of their own, which providers of the configuration file refer to. `origin` and `proxy`
 * are what a secret was first used for; both are null before.
 */
export const sql = `
CREATE TABLE named_credential (
  name TEXT PRIMARY KEY, hint TEXT NOT NULL, sealed BLOB NOT NULL, origin TEXT, proxy TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
`;
