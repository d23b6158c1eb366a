/** Copies of process secrets, sealed, so that a backup brings them back to another machine: API_KEY_SECRET. */
export const sql = `
CREATE TABLE travelling_secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
`;
