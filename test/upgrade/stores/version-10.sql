CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE seal_term (term INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE provider (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, base_url TEXT NOT NULL,
  position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
, options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)));
CREATE TABLE credential (
  id TEXT PRIMARY KEY, provider_id TEXT NOT NULL REFERENCES provider(id) ON DELETE CASCADE,
  position INTEGER NOT NULL, type TEXT NOT NULL, origin TEXT NOT NULL, hint TEXT NOT NULL,
  sealed BLOB NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE api_key (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, last4 TEXT NOT NULL,
  permissions TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER, last_used_at INTEGER
, limits TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(limits)), models TEXT CHECK (json_valid(models)), allowed_ips TEXT CHECK (json_valid(allowed_ips)), expires_at INTEGER, replaces TEXT, replaced_by TEXT, last_address TEXT);
CREATE TABLE request (
  seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, request_id TEXT NOT NULL, principal TEXT NOT NULL,
  provider TEXT, model TEXT NOT NULL, route TEXT NOT NULL, status INTEGER NOT NULL, latency_ms REAL NOT NULL,
  first_byte_ms REAL, input_tokens INTEGER, output_tokens INTEGER, streamed INTEGER NOT NULL
, cost_nano_usd INTEGER, cost_usd REAL GENERATED ALWAYS AS (cost_nano_usd / 1e9) VIRTUAL, estimated INTEGER NOT NULL DEFAULT 0);
CREATE TABLE audit (
  chain TEXT NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  target TEXT, outcome TEXT NOT NULL, address TEXT, request_id TEXT, count INTEGER NOT NULL, hash BLOB,
  PRIMARY KEY (chain, seq)
);
CREATE TABLE usage_day (
  day INTEGER NOT NULL, principal TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano_usd INTEGER,
  estimated_requests INTEGER NOT NULL, unpriced_requests INTEGER NOT NULL,
  PRIMARY KEY (day, principal, provider, model)
) WITHOUT ROWID;
CREATE TABLE named_credential (
  name TEXT PRIMARY KEY, hint TEXT NOT NULL, sealed BLOB NOT NULL, origin TEXT, proxy TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE identity_use (
  id TEXT PRIMARY KEY,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE seal_slot (
  kind TEXT PRIMARY KEY CHECK (kind IN ('machine', 'passphrase', 'recovery')), wrapped BLOB NOT NULL,
  salt BLOB, memory_kib INTEGER, passes INTEGER, lanes INTEGER, verifier BLOB, wrapping_key BLOB, created_at INTEGER NOT NULL,
  CHECK (kind <> 'passphrase' OR (salt IS NOT NULL AND memory_kib BETWEEN 8 AND 4194304 AND passes BETWEEN 1 AND 64
    AND lanes BETWEEN 1 AND 16 AND verifier IS NOT NULL)),
  CHECK (kind <> 'recovery' OR wrapping_key IS NOT NULL)
);
CREATE TABLE seal_state (id INTEGER PRIMARY KEY CHECK (id = 1), locked_at INTEGER, cleaning INTEGER NOT NULL);
CREATE TABLE key_try (
  who TEXT PRIMARY KEY, wrong INTEGER NOT NULL, last_at INTEGER NOT NULL, tries INTEGER NOT NULL, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (1, 'ground', '24b3397199524376f5a57dc62e67d72d44381fc3b14b2a1d1c0036336f8232d7', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (2, 'usage', '0f996b5bef9603f6e78cd664fc911297373d0bf93cf05843e7deae7429895dc8', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (3, 'provider-options', '123cf0f8b3cf4a7a8560f2af4ade9100ca1af0cefba5967b68a5ae69d0a63be3', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (4, 'key-limits', '1bc51ed542889577b1ecaee1423d93ef4b92fb9f929be4a9b9cae2b12c2405e2', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (5, 'keys-in-order', 'e3cf9e1fbff21de7eb612f0e160a66a28e6d95b3a7c2b8fd1b6cd722d0e61dd3', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (6, 'key-terms', '610b7817f72f03b47efd84a845e7316276ac9fe0903fa35018f9b3f7983dcecb', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (7, 'named-credentials', '6bd74eb893beca5b2ae06790cee444184321735d7f2fc2510a00db07039ac7c5', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (8, 'identity-uses', '60eb47f5c95f3fac595b41f72a56ed87ae7799f2a451bf547c2f6049bec9c16e', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (9, 'server-key', '2f389159468a73264b37c961ec2e589882ac3618a56375ac07a4a8bbe7dd9af7', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (10, 'key-tries', 'eab807eeacfdf1e765d5da00fe535bb515ab72f84ed4adc8fe3eee3c465fd2ce', 1767225600000);
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.JWT_SECRET', '83af3c40b9b150ba25001930453bf7a8');
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.API_KEY_SECRET', '5479b4569eb0d9ea996fcc0a0ec50522');
INSERT INTO "meta" ("name", "value") VALUES ('node.id', 'node_1RZFn89DJEveic5n');
INSERT INTO "meta" ("name", "value") VALUES ('events.epoch', '1767225600000');
INSERT INTO "seal_term" ("term", "wrapped", "created_at") VALUES (1, X'010000000079448c72964db1d0d709f0f486d022917305b21e024d4a4cd984c456d26cf679c6ff7e4490ccf80dfc27943048fa6b2ddca7abfe97ecb4499c258962', 1767225600000);
INSERT INTO "provider" ("id", "name", "kind", "base_url", "position", "created_at", "updated_at", "options") VALUES ('prov_GVGegPLSJbNAcrDz', 'stored', 'openai-compatible', 'https://upstream.invalid/v1', 1, 1767225600000, 1767225600000, '{}');
INSERT INTO "credential" ("id", "provider_id", "position", "type", "origin", "hint", "sealed", "created_at") VALUES ('cred_5mc5ELdIDHMqCH17', 'prov_GVGegPLSJbNAcrDz', 0, 'api_key', 'https://upstream.invalid', 'ider', X'010000000109fe1ed9940f00457e7cbcd1a13994a1b83820b5cf383663d77dfabf542b45cd7c9666f762f4d87c97beba64a3e7b28b21d258d39dc9460fc5a780', 1767225600000);
INSERT INTO "api_key" ("id", "name", "digest", "last4", "permissions", "created_at", "revoked_at", "last_used_at", "limits", "models", "allowed_ips", "expires_at", "replaces", "replaced_by", "last_address") VALUES ('key_sfPw4E6Ia10y', 'app', X'589cac9816bfddc1ec354f0ffecc939efce0f5ea95f6b9915482810e04f321bf', 'uly5', '["gateway"]', 1767225600000, NULL, 1767225600000, '{}', NULL, NULL, NULL, NULL, NULL, '127.0.0.1');
INSERT INTO "request" ("seq", "time", "request_id", "principal", "provider", "model", "route", "status", "latency_ms", "first_byte_ms", "input_tokens", "output_tokens", "streamed", "cost_nano_usd", "estimated") VALUES (1, 1767225600000, 'req_HzwJDUfVNBwZIe3q', 'key_sfPw4E6Ia10y', 'stored', 'unknown', '/v1/chat/completions', 502, 294.84, 294.68, NULL, NULL, 0, NULL, 0);
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('main', 1, 1767225600000, 'local', 'provider.create', 'stored', 'success', NULL, 'req_Tig02ShfPaKKCzyf', 1, NULL);
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('main', 2, 1767225600000, 'local', 'credential.set', 'named', 'success', NULL, 'req_BK7aSKcnsEMfdYvi', 1, NULL);
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('main', 3, 1767225600000, 'local', 'key.create', 'key_sfPw4E6Ia10y', 'success', NULL, 'req_KWNKzdsWOsAcB8WL', 1, NULL);
INSERT INTO "usage_day" ("day", "principal", "provider", "model", "requests", "input_tokens", "output_tokens", "cost_nano_usd", "estimated_requests", "unpriced_requests") VALUES (20454, 'key_sfPw4E6Ia10y', 'stored', 'unknown', 1, 0, 0, NULL, 0, 0);
INSERT INTO "named_credential" ("name", "hint", "sealed", "origin", "proxy", "created_at", "updated_at") VALUES ('named', 'name', X'01000000014fce6bab68d536194da9ed16f63d0ac600c6e62bea841d1fe6c96844d67dc78283f3bbb04f8b68b4512128b2a6cb80b042918991f3861a74be', NULL, NULL, 1767225600000, 1767225600000);
INSERT INTO "seal_slot" ("kind", "wrapped", "salt", "memory_kib", "passes", "lanes", "verifier", "wrapping_key", "created_at") VALUES ('machine', X'0100000000be5bc6ec1f6183bb530a7ff67012afc01119b11ea7d7423ce177e369bd8a76d3b83b85d16f70ac968a60041ab8d8327556faa4d52d7fa0cd6da49821', NULL, NULL, NULL, NULL, NULL, NULL, 1767225600000);
INSERT INTO "seal_state" ("id", "locked_at", "cleaning") VALUES (1, NULL, 0);
CREATE INDEX credential_by_provider ON credential (provider_id, position);
CREATE UNIQUE INDEX api_key_live_name ON api_key (name) WHERE revoked_at IS NULL;
CREATE INDEX request_by_time ON request (time);
CREATE INDEX api_key_in_order ON api_key (created_at, id);
CREATE INDEX request_by_principal ON request (principal, time);
CREATE INDEX key_try_last ON key_try (last_at);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
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
