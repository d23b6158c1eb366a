/**
 * On which terms a key holds: the models (JSON list) and addresses (JSON list) it is for, NULL for all, and when it
 * ends; which key took its place or whose place it took; and the address of its last use. The index finds
 * what a key asked for last.
 */
export const sql = `
ALTER TABLE api_key ADD COLUMN models TEXT CHECK (json_valid(models));
ALTER TABLE api_key ADD COLUMN allowed_ips TEXT CHECK (json_valid(allowed_ips));
ALTER TABLE api_key ADD COLUMN expires_at INTEGER;
ALTER TABLE api_key ADD COLUMN replaces TEXT;
ALTER TABLE api_key ADD COLUMN replaced_by TEXT;
ALTER TABLE api_key ADD COLUMN last_address TEXT;
CREATE INDEX request_by_principal ON request (principal, time);
`;
