/**
 * Keys by name, last use and expiry, page by page; a name as a reader looks for it, capitals or not, in a column of its own, for
 * pairs of values are found by an index of columns alone. When a user signed in last
 * is known of the time before as far as the audit still tells.
 */
export const sql = `
ALTER TABLE api_key ADD COLUMN lower_name TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE INDEX api_key_by_name ON api_key (lower_name, id);
CREATE INDEX api_key_by_last_use ON api_key (last_used_at, id);
CREATE INDEX api_key_by_expiry ON api_key (expires_at, id);
ALTER TABLE user ADD COLUMN last_signed_in_at INTEGER;
UPDATE user SET last_signed_in_at = (
  SELECT max(time) FROM audit WHERE actor = user.id AND action = 'user.login' AND outcome = 'success'
);
`;
