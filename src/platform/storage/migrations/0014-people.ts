/**
 * People: who they are, the sessions they have, and what an address got wrong when it tried to sign in. `is_initial`: the
 * password was good for one sign-in, which was made. A session ends at `ends_at`, which moves while it is used, but not
 * beyond `last_end_at`. `network` is an address, or the /64 of an IPv6 one. `seed` is that of a second factor, encrypted under
 * `secrets/auth.key`, `last_step` the newest step whose code was used; recovery codes are kept as their SHA-256.
 */
export const sql = `
CREATE TABLE user (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  permission_sets TEXT NOT NULL,
  must_change_password INTEGER NOT NULL,
  is_initial INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
  jti TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  last_end_at INTEGER NOT NULL,
  password_at INTEGER NOT NULL,
  address TEXT,
  user_agent TEXT
) STRICT;
CREATE INDEX session_by_user ON session (user_id);
CREATE TABLE second_factor (
  user_id TEXT PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
  seed BLOB NOT NULL,
  confirmed INTEGER NOT NULL,
  last_step INTEGER NOT NULL
) STRICT;
CREATE TABLE recovery_code (
  user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  hash BLOB NOT NULL,
  PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE login_failure (
  network TEXT PRIMARY KEY, failures INTEGER NOT NULL, last_at INTEGER NOT NULL, locked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failure_last ON login_failure (last_at);
`;
