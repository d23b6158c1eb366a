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
CREATE TABLE audit_head (
  chain TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL,
  checkpoint INTEGER NOT NULL,
  checkpoint_seq INTEGER NOT NULL,
  checkpoint_time INTEGER NOT NULL,
  mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_checkpoint (
  chain TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('start', 'regular')),
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  hash BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (chain, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE travelling_secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
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
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (11, 'audit-chain', 'af69b8f72f284f680a5b65e4ad9171539a64ef13de7634a9e5c0e19a55b0ccc0', 1767225600000);
INSERT INTO "migration" ("number", "name", "checksum", "applied_at") VALUES (12, 'travelling-secrets', '795a56ab9d8e9edc20ac926b637ac93d64c3ed709460247ca6b24fe170d5d076', 1767225600000);
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.JWT_SECRET', '40449af7b71b075b4a7964b50ccf5b0c');
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.API_KEY_SECRET', 'a80251455e396aa39708feb4c95f5b76');
INSERT INTO "meta" ("name", "value") VALUES ('node.id', 'node_LmdXpSSv54MLRDKt');
INSERT INTO "meta" ("name", "value") VALUES ('events.epoch', '1767225600000');
INSERT INTO "seal_term" ("term", "wrapped", "created_at") VALUES (1, X'0100000000a1d57755d10bab8c93313a8934593ceb0586f55c29ff9f44372cf3df44537295713d32c76083368daa49bea91166ea9ae83a17f92881eb1603797759', 1767225600000);
INSERT INTO "provider" ("id", "name", "kind", "base_url", "position", "created_at", "updated_at", "options") VALUES ('prov_0VSQDahhZCQjOCCO', 'stored', 'openai-compatible', 'https://upstream.invalid/v1', 1, 1767225600000, 1767225600000, '{}');
INSERT INTO "credential" ("id", "provider_id", "position", "type", "origin", "hint", "sealed", "created_at") VALUES ('cred_zwj3WJeFF00daSJg', 'prov_0VSQDahhZCQjOCCO', 0, 'api_key', 'https://upstream.invalid', 'ider', X'0100000001d59bb85e6b76acc555b114a054a1dae35cf5b0b16021193785c6193803bb0972b27c7c702c9d16c76fc32eb0bb014751fc822419d289370e962802', 1767225600000);
INSERT INTO "api_key" ("id", "name", "digest", "last4", "permissions", "created_at", "revoked_at", "last_used_at", "limits", "models", "allowed_ips", "expires_at", "replaces", "replaced_by", "last_address") VALUES ('key_NIPboK02yE3V', 'app', X'9d1d7945b69b92cf8e6eae759f62fc56c265a82dd80c1e3c56bf718542801b91', 'ACaD', '["gateway"]', 1767225600000, NULL, 1767225600000, '{}', NULL, NULL, NULL, NULL, NULL, '127.0.0.1');
INSERT INTO "request" ("seq", "time", "request_id", "principal", "provider", "model", "route", "status", "latency_ms", "first_byte_ms", "input_tokens", "output_tokens", "streamed", "cost_nano_usd", "estimated") VALUES (1, 1767225600000, 'req_PcyuB5c2yFQscqaD', 'key_NIPboK02yE3V', 'stored', 'unknown', '/v1/chat/completions', 502, 184.64, 184.45, NULL, NULL, 0, NULL, 0);
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_2ef1068fa6b7cf2a', 1, 1767225600000, 'local', 'provider.create', 'stored', 'success', NULL, 'req_DTRbqbudZQw1tPkT', 1, X'29846e4d6add5241569886fc96e1ccdbbd5f49c4391053279d424c239fd8553c');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_2ef1068fa6b7cf2a', 2, 1767225600000, 'local', 'credential.set', 'named', 'success', NULL, 'req_uug83pj292q4195t', 1, X'4fd08d9d02b4d6562938c67736e85b45d3cdfb32a4e94ef19f524ab25bf32533');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_2ef1068fa6b7cf2a', 3, 1767225600000, 'local', 'key.create', 'key_NIPboK02yE3V', 'success', NULL, 'req_4vEtewN9bYxEq3VN', 1, X'db7ed703e6a875c9a64f8d4332ebd7b2026bd609c22e5d3b88727cddda6e50ba');
INSERT INTO "usage_day" ("day", "principal", "provider", "model", "requests", "input_tokens", "output_tokens", "cost_nano_usd", "estimated_requests", "unpriced_requests") VALUES (20454, 'key_NIPboK02yE3V', 'stored', 'unknown', 1, 0, 0, NULL, 0, 0);
INSERT INTO "named_credential" ("name", "hint", "sealed", "origin", "proxy", "created_at", "updated_at") VALUES ('named', 'name', X'01000000011a1ba97e66fba685a90b3a70986904a81e968547edd7496e8c301cb11e65e4296fb7052fb1776569f69631253d736b27d11cec434cd89173d5', NULL, NULL, 1767225600000, 1767225600000);
INSERT INTO "seal_slot" ("kind", "wrapped", "salt", "memory_kib", "passes", "lanes", "verifier", "wrapping_key", "created_at") VALUES ('machine', X'01000000004a1ebbf66aafc4dd3172acd4ce521fb171a8247334d8ac250d717a3d757f54d54594bc232676c57c19a122eff079d4395e21cacd16c52629a9e8861e', NULL, NULL, NULL, NULL, NULL, NULL, 1767225600000);
INSERT INTO "seal_state" ("id", "locked_at", "cleaning") VALUES (1, NULL, 0);
INSERT INTO "audit_head" ("chain", "seq", "hash", "checkpoint", "checkpoint_seq", "checkpoint_time", "mac") VALUES ('chain_2ef1068fa6b7cf2a', 3, X'db7ed703e6a875c9a64f8d4332ebd7b2026bd609c22e5d3b88727cddda6e50ba', 2, 3, 1767225600000, X'2d0309634b5d3a3f49fea2fd9dc60acc49fddbb61cdc99ccd5d90fe63bee6ec2');
INSERT INTO "audit_checkpoint" ("chain", "number", "kind", "seq", "time", "hash", "signature") VALUES ('chain_2ef1068fa6b7cf2a', 1, 'start', 0, 1767225600000, X'23569b433a0be89f8071e6ab95aa8d04c2f8f73e9ebe931ed5678b500720b252', X'92b8b2d7438bcc6594202906e266970f83d828b4f604bdeb22365edd1221b2e7e7e9f1d8abbd7187de1f4117c80b299b44970fe502242c3ec5d276d65093580e');
INSERT INTO "audit_checkpoint" ("chain", "number", "kind", "seq", "time", "hash", "signature") VALUES ('chain_2ef1068fa6b7cf2a', 2, 'regular', 3, 1767225600000, X'db7ed703e6a875c9a64f8d4332ebd7b2026bd609c22e5d3b88727cddda6e50ba', X'83a73133cd287ef32089dc386150eb0435af880097e33514a9ee5774defc95cf635f2dd5187e7d3cedea009e085fb615708d2684702132bddacc04f68a387c04');
INSERT INTO "travelling_secret" ("name", "sealed") VALUES ('API_KEY_SECRET', X'0100000001440b226adac265d30e4e81be4c4cdabab75221d6b93cdeeadd9d3159e62732c33cfa7e43220d765b7fa3c088813b25614777d91c1cd26a31e72f04f4f540d42286b3cb238ad5a1');
CREATE INDEX credential_by_provider ON credential (provider_id, position);
CREATE UNIQUE INDEX api_key_live_name ON api_key (name) WHERE revoked_at IS NULL;
CREATE INDEX request_by_time ON request (time);
CREATE INDEX api_key_in_order ON api_key (created_at, id);
CREATE INDEX request_by_principal ON request (principal, time);
CREATE INDEX key_try_last ON key_try (last_at);
CREATE INDEX audit_by_seq ON audit (seq, chain);
CREATE INDEX audit_by_actor ON audit (actor, seq);
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
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
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
WHEN OLD.number >= coalesce(
  (SELECT max(number) FROM audit_checkpoint WHERE chain = OLD.chain AND kind = 'start'), 0)
BEGIN SELECT RAISE(ABORT, 'audit checkpoints are append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN OLD.seq > coalesce(
  (SELECT max(seq) FROM audit_checkpoint WHERE chain = OLD.chain AND kind = 'start'), -1)
BEGIN SELECT RAISE(ABORT, 'audit rows are append-only'); END;
