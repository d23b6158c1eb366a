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
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.JWT_SECRET', '7475c54aaecc471ff01acc3f0b19b3f3');
INSERT INTO "meta" ("name", "value") VALUES ('fingerprint.API_KEY_SECRET', '2caa453c3ddb9b3c435417b31071a5f5');
INSERT INTO "meta" ("name", "value") VALUES ('node.id', 'node_X4MaCtkYBXjHCArw');
INSERT INTO "meta" ("name", "value") VALUES ('events.epoch', '1767225600000');
INSERT INTO "seal_term" ("term", "wrapped", "created_at") VALUES (3, X'010000000022a13cd8f72f6a54e6e29429fb72563d978eb71ce155b04136fd6fe2eccc1aebb8fdd991924d4c706fe2e7d085239269f603d9b1e00eb20541a1148a', 1767225600000);
INSERT INTO "provider" ("id", "name", "kind", "base_url", "position", "created_at", "updated_at", "options") VALUES ('prov_t9RWmjNM3eRVCvyJ', 'stored', 'openai-compatible', 'https://upstream.invalid/v1', 1, 1767225600000, 1767225600000, '{}');
INSERT INTO "credential" ("id", "provider_id", "position", "type", "origin", "hint", "sealed", "created_at") VALUES ('cred_2FXqHCoeEP6f8UZG', 'prov_t9RWmjNM3eRVCvyJ', 0, 'api_key', 'https://upstream.invalid', 'ider', X'0100000003d945c4959eaf8487857f00f932aed44e9a639752833fb8b1dfe901ed24e2373b5e2c810da05f54fffac6892215ba84906aebe66b92c2e759b8d02e', 1767225600000);
INSERT INTO "api_key" ("id", "name", "digest", "last4", "permissions", "created_at", "revoked_at", "last_used_at", "limits", "models", "allowed_ips", "expires_at", "replaces", "replaced_by", "last_address") VALUES ('key_LRflYsyY2KMn', 'app', X'102390e49e43739774cf36ec8b72d4dce26639c138faca08b512c2374dcce4f3', 'vqls', '["gateway"]', 1767225600000, NULL, 1767225600000, '{}', NULL, NULL, NULL, NULL, NULL, '127.0.0.1');
INSERT INTO "request" ("seq", "time", "request_id", "principal", "provider", "model", "route", "status", "latency_ms", "first_byte_ms", "input_tokens", "output_tokens", "streamed", "cost_nano_usd", "estimated") VALUES (1, 1767225600000, 'req_4ewTUeB3U8m3E43k', 'key_LRflYsyY2KMn', 'stored', 'unknown', '/v1/chat/completions', 502, 1.59, 1.55, NULL, NULL, 0, NULL, 0);
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_5248efed5bf62673', 1, 1767225600000, 'local', 'provider.create', 'stored', 'success', NULL, 'req_bDNjCRI0RWB6713G', 1, X'29574c0b8da7c9bf72d9bcccc85ceaee18ba28bcac1d013395a6e152cb58654c');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_5248efed5bf62673', 2, 1767225600000, 'local', 'credential.set', 'named', 'success', NULL, 'req_GBX6GoMqUUkbrQyz', 1, X'6b2a5a1d51503f1548dfa0f182788a2bfc6e39df1e11ead9e7272949beb74698');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_5248efed5bf62673', 3, 1767225600000, 'local', 'key.create', 'key_LRflYsyY2KMn', 'success', NULL, 'req_FqnHluBtfWYSOttc', 1, X'c8645605bce8d36cf226a927763d543564cb1e1a60a5224a037538dd332fb7ef');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_5248efed5bf62673', 4, 1767225600000, 'local', 'key.initialize', 'server_key', 'success', NULL, 'req_pHFGUDnGwVtzZTzj', 1, X'f87b4a7f332cdc5bd9dc97d71995cf9533585bb34774fc0a89663f4ec19c6c3e');
INSERT INTO "audit" ("chain", "seq", "time", "actor", "action", "target", "outcome", "address", "request_id", "count", "hash") VALUES ('chain_5248efed5bf62673', 5, 1767225600000, 'local', 'key.rotate', 'server_key', 'success', NULL, 'req_HIaTPRzEyEf4Higr', 1, X'ecf39987661efc28c6d798932639c0b164af0b51d3b6210f58896b3fc5956d86');
INSERT INTO "usage_day" ("day", "principal", "provider", "model", "requests", "input_tokens", "output_tokens", "cost_nano_usd", "estimated_requests", "unpriced_requests") VALUES (20454, 'key_LRflYsyY2KMn', 'stored', 'unknown', 1, 0, 0, NULL, 0, 0);
INSERT INTO "named_credential" ("name", "hint", "sealed", "origin", "proxy", "created_at", "updated_at") VALUES ('named', 'name', X'0100000003224f9fe58852d701df3fcfdfd978cc7d8185c9ae1ef2448b09af0e04ff7962d8cbf251bcb19571d4d9e6fcd806a861c1d0261c3dd7d6596eaf', NULL, NULL, 1767225600000, 1767225600000);
INSERT INTO "seal_slot" ("kind", "wrapped", "salt", "memory_kib", "passes", "lanes", "verifier", "wrapping_key", "created_at") VALUES ('passphrase', X'0100000000ac52ed07cb4ffbd9e34e5964deb1a4027ee0ec0de6fb17fe1a1c9cb95b8328be102bd0e014e444189b6fad1c4e57953cab8cc069cda9bb4b87cce21a', X'617b4f69a9644768effa0b3496b4509b', 8192, 1, 1, X'26d0e6c2e5f743c6b020211852c644e91337f6d66d979637226c95750419350b', NULL, 1767225600000);
INSERT INTO "seal_slot" ("kind", "wrapped", "salt", "memory_kib", "passes", "lanes", "verifier", "wrapping_key", "created_at") VALUES ('recovery', X'01000000004a51ff6d958fab9727d0287bf1bf1936665d0a3fbfa225280c7ef26cae6490409487adcc611c78824e6a7f04de7dc3ee9d8bfa9cbc3024147f96e26c', NULL, NULL, NULL, NULL, NULL, X'0100000003b2fe24829a3f11d00e4540effd11e84d13b772228e655c07aea2b75179147bbae20b2002baa3a63a38e98868d1a7f92c5acd02a742ef626cd1caf10a', 1767225600000);
INSERT INTO "seal_state" ("id", "locked_at", "cleaning") VALUES (1, NULL, 0);
INSERT INTO "audit_head" ("chain", "seq", "hash", "checkpoint", "checkpoint_seq", "checkpoint_time", "mac") VALUES ('chain_5248efed5bf62673', 5, X'ecf39987661efc28c6d798932639c0b164af0b51d3b6210f58896b3fc5956d86', 2, 5, 1767225600000, X'ec463893a2255fe4c40ffec82f7be23f7f731d988bc7372de4946a901c5f8987');
INSERT INTO "audit_checkpoint" ("chain", "number", "kind", "seq", "time", "hash", "signature") VALUES ('chain_5248efed5bf62673', 1, 'start', 0, 1767225600000, X'4a6bc3620aeec5cb7d3d0e9db19be80607acb90e94f683a51b924b10d5a782bd', X'e0fc3bae363199c6e9d31501532876cbeecc036cda390f70c30fab480ef5a45a72667040104c2f00f6a019e5aae62de1cbd5ead06d09ae0284bf0b65fa1ce90a');
INSERT INTO "audit_checkpoint" ("chain", "number", "kind", "seq", "time", "hash", "signature") VALUES ('chain_5248efed5bf62673', 2, 'regular', 5, 1767225600000, X'ecf39987661efc28c6d798932639c0b164af0b51d3b6210f58896b3fc5956d86', X'e8a82d0f8a984b52dbc6f051a3ba4ef51750173cf983b1b85752b0d644958506fd88b0581c931c8d948afdbccaf2cd9d5d58b0e58a0eaf0bc8e21966e9ac6506');
INSERT INTO "travelling_secret" ("name", "sealed") VALUES ('API_KEY_SECRET', X'0100000003b59bbc4e49b49a84fd7c6aad7d518e9b23a2ee7c75a95b3161d5179a5bc37e49dea5f183032a10b0c13592b309ea841df77e24a4a40d0c329b238c1d867741a6892a750325acd0');
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
