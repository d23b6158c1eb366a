/**
 * Usage: cost of a request in whole nano-dollars, and sums by UTC day that outlive the rows they were made of. A
 * trigger adds a row to its sum, so that both are written or neither, whoever inserts. `cost_usd` becomes a reading of
 * the one stored figure. A cost of NULL is not known, in a sum as in a row; a provider of '' is none.
 */
export const sql = `
ALTER TABLE request ADD COLUMN cost_nano_usd INTEGER;
UPDATE request SET cost_nano_usd = CAST(round(cost_usd * 1e9) AS INTEGER) WHERE cost_usd IS NOT NULL;
ALTER TABLE request DROP COLUMN cost_usd;
ALTER TABLE request ADD COLUMN cost_usd REAL GENERATED ALWAYS AS (cost_nano_usd / 1e9) VIRTUAL;
ALTER TABLE request ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
CREATE INDEX request_by_time ON request (time);
CREATE TABLE usage_day (
  day INTEGER NOT NULL, principal TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano_usd INTEGER,
  estimated_requests INTEGER NOT NULL, unpriced_requests INTEGER NOT NULL,
  PRIMARY KEY (day, principal, provider, model)
) WITHOUT ROWID;
INSERT INTO usage_day
  SELECT time / 86400000, principal, coalesce(provider, ''), model, count(*), coalesce(sum(input_tokens), 0),
    coalesce(sum(output_tokens), 0), sum(cost_nano_usd), sum(estimated),
    sum(coalesce(input_tokens, output_tokens) IS NOT NULL AND cost_nano_usd IS NULL)
  FROM request GROUP BY 1, 2, 3, 4;
CREATE TRIGGER request_into_usage_day AFTER INSERT ON request BEGIN
  INSERT INTO usage_day VALUES (
    NEW.time / 86400000, NEW.principal, coalesce(NEW.provider, ''), NEW.model, 1, coalesce(NEW.input_tokens, 0),
    coalesce(NEW.output_tokens, 0), NEW.cost_nano_usd, NEW.estimated,
    coalesce(NEW.input_tokens, NEW.output_tokens) IS NOT NULL AND NEW.cost_nano_usd IS NULL
  )
  ON CONFLICT (day, principal, provider, model) DO UPDATE SET
    requests = requests + 1,
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost_nano_usd = CASE WHEN excluded.cost_nano_usd IS NULL THEN cost_nano_usd
      ELSE coalesce(cost_nano_usd, 0) + excluded.cost_nano_usd END,
    estimated_requests = estimated_requests + excluded.estimated_requests,
    unpriced_requests = unpriced_requests + excluded.unpriced_requests;
END;
`;
