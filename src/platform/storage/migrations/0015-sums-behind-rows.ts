/**
 * Request rows go in plain, and are summed some seconds later, by their number: rows up to `summed` are in the sums. Those up
 * to `unsummed` are of before this migration: they are in `usage_day` alone, without their errors, and are taken into the rest
 * from the newest down. Until a row is in all of them it cannot be deleted. With the newest one its number is given back, for
 * another row may get it. `step` and times are milliseconds; `bound` is the longest that its requests took, in milliseconds.
 * A cost is a whole number until it is beyond exact ones. `request_index` leads to rows by a value, hour for hour, so that a row's entries lie beside those of its time.
 */
export const sql = `
DROP TRIGGER request_into_usage_day;
DROP INDEX request_by_principal;
CREATE TABLE usage_progress (
  id INTEGER PRIMARY KEY CHECK (id = 1), summed INTEGER NOT NULL, unsummed INTEGER NOT NULL
) STRICT;
INSERT INTO usage_progress SELECT 1, coalesce(max(seq), 0), coalesce(max(seq), 0) FROM request;
ALTER TABLE usage_day ADD COLUMN client_errors INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_day ADD COLUMN server_errors INTEGER NOT NULL DEFAULT 0;
CREATE TABLE usage_step (
  step INTEGER NOT NULL, start INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano_usd ANY,
  estimated_requests INTEGER NOT NULL, unpriced_requests INTEGER NOT NULL,
  client_errors INTEGER NOT NULL, server_errors INTEGER NOT NULL,
  PRIMARY KEY (step, start, provider, model)
) STRICT, WITHOUT ROWID;
CREATE TABLE latency_step (
  step INTEGER NOT NULL, start INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, bound INTEGER NOT NULL,
  requests INTEGER NOT NULL, first_bytes INTEGER NOT NULL,
  PRIMARY KEY (step, start, provider, model, bound)
) STRICT, WITHOUT ROWID;
CREATE TABLE principal_hour (
  start INTEGER NOT NULL, principal TEXT NOT NULL, requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, cost_nano_usd ANY, client_errors INTEGER NOT NULL, server_errors INTEGER NOT NULL,
  PRIMARY KEY (start, principal)
) STRICT, WITHOUT ROWID;
CREATE TABLE request_index (
  hour INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (hour, kind, value, at, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER request_keeps_unsummed BEFORE DELETE ON request
  WHEN OLD.seq > (SELECT summed FROM usage_progress) OR OLD.seq <= (SELECT unsummed FROM usage_progress)
  BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER request_gives_number_back AFTER DELETE ON request
  WHEN OLD.seq = (SELECT summed FROM usage_progress)
  BEGIN UPDATE usage_progress SET summed = coalesce((SELECT max(seq) FROM request WHERE seq < OLD.seq), 0); END;
CREATE VIEW request_unsummed AS
  SELECT seq, time, request_id, principal, coalesce(provider, '') AS provider, model, status, latency_ms, first_byte_ms,
    coalesce(input_tokens, 0) AS input_tokens, coalesce(output_tokens, 0) AS output_tokens, cost_nano_usd, estimated,
    coalesce(input_tokens, output_tokens) IS NOT NULL AND cost_nano_usd IS NULL AS unpriced,
    status BETWEEN 400 AND 499 AS client_error, status >= 500 AS server_error
  FROM request NOT INDEXED WHERE seq > (SELECT summed FROM usage_progress);
CREATE VIEW usage_day_now AS
  SELECT day, principal, provider, model, requests, input_tokens, output_tokens, cost_nano_usd, estimated_requests,
    unpriced_requests, client_errors, server_errors FROM usage_day
  UNION ALL SELECT time / 86400000, principal, provider, model, 1, input_tokens, output_tokens, cost_nano_usd, estimated,
    unpriced, client_error, server_error FROM request_unsummed;
`;
