import type { Generated, GeneratedAlways } from "kysely";

/** Rows as the migrations lay them out. Times are milliseconds since the Unix epoch; lists are JSON text. */
export interface Tables {
  meta: { name: string; value: string };
  /** The root key, wrapped once for each way to open it. */
  seal_slot: {
    kind: "machine" | "passphrase" | "recovery";
    wrapped: Uint8Array;
    /** These five are a passphrase's: how it is stretched, and what tells it from a wrong one. */
    salt: Uint8Array | null;
    memory_kib: number | null;
    passes: number | null;
    lanes: number | null;
    verifier: Uint8Array | null;
    /** A recovery key's: what wraps the root for it, sealed. */
    wrapping_key: Uint8Array | null;
    created_at: number;
  };
  /** One row, of id 1. */
  seal_state: {
    id: number;
    /** When an operator locked the server; null when none did since it was last unlocked. */
    locked_at: number | null;
    /** Rises with each change whose old ciphertext is still to be cleaned out of the files; 0 when none is. */
    cleaning: number;
  };
  seal_term: { term: number; wrapped: Uint8Array; created_at: number };
  provider: {
    id: string;
    name: string;
    kind: string;
    base_url: string;
    /** A JSON object of provider options. */
    options: string;
    position: number;
    created_at: number;
    updated_at: number;
  };
  credential: {
    id: string;
    provider_id: string;
    position: number;
    type: string;
    origin: string;
    hint: string;
    sealed: Uint8Array;
    created_at: number;
  };
  /** Upstream secrets that providers of the configuration file refer to by name. */
  named_credential: {
    name: string;
    hint: string;
    sealed: Uint8Array;
    /** What it is bound to; null before its first use. */
    origin: string | null;
    proxy: string | null;
    created_at: number;
    updated_at: number;
  };
  api_key: {
    id: string;
    name: string;
    digest: Uint8Array;
    last4: string;
    permissions: string;
    /** A JSON object of limits. */
    limits: string;
    created_at: number;
    revoked_at: number | null;
    last_used_at: number | null;
    /** A JSON list of patterns; null for every model. */
    models: string | null;
    /** A JSON list of addresses and ranges; null for every address. */
    allowed_ips: string | null;
    expires_at: number | null;
    replaces: string | null;
    replaced_by: string | null;
    last_address: string | null;
    /** Computed from `name`. */
    lower_name: GeneratedAlways<string>;
  };
  /** Tries of the server key that were not right, by who made them and from where. */
  key_try: {
    who: string;
    wrong: number;
    /** When the last wrong one was. */
    last_at: number;
    /** All tries, the refused ones too, since `since`. */
    tries: number;
    since: number;
  };
  /** Process secrets that a backup takes along, sealed. */
  travelling_secret: { name: string; sealed: Uint8Array };
  cluster_member: { cluster_id: string; id: string; record: string; last_seen_ms: number | null };
  identity_use: { id: string; last_used_at: number };
  request: {
    seq: Generated<number>;
    time: number;
    request_id: string;
    principal: string;
    provider: string | null;
    model: string;
    route: string;
    status: number;
    latency_ms: number;
    first_byte_ms: number | null;
    input_tokens: number | null;
    output_tokens: number | null;
    /** Whole billionths of a US dollar, at the prices of `time`; null when no price is known. */
    cost_nano_usd: number | null;
    /** Computed from `cost_nano_usd`. */
    cost_usd: GeneratedAlways<number | null>;
    streamed: number;
    /** 1 when a token figure is the gateway's estimate. */
    estimated: Generated<number>;
    /** 1 when the id tells `time`, by which it is then found. */
    id_tells_time: Generated<number>;
  };
  /** How far the request rows are summed, by their number: one row, of id 1. */
  usage_progress: {
    id: number;
    /** Rows up to this are in the sums; those beyond it are in the view `request_unsummed`. */
    summed: number;
    /** Rows up to this, of before an upgrade, are not in all sums yet; 0 when all are. */
    unsummed: number;
  };
  /** Leads to request rows by a value, hour for hour. */
  request_index: { hour: number; kind: number; value: string; at: number; seq: number };
  audit: {
    chain: string;
    seq: number;
    time: number;
    actor: string;
    action: string;
    target: string | null;
    outcome: "success" | "failure" | "denied";
    address: string | null;
    request_id: string | null;
    count: number;
    hash: Uint8Array | null;
  };
  /** Where each chain of the audit ends: its last row, its newest checkpoint, and a MAC over both. */
  audit_head: {
    chain: string;
    seq: number;
    hash: Uint8Array;
    checkpoint: number;
    checkpoint_seq: number;
    checkpoint_time: number;
    mac: Uint8Array;
  };
  audit_checkpoint: {
    chain: string;
    /** From 1, without a gap. */
    number: number;
    /** `start`: the rows of the chain begin after it. */
    kind: "start" | "regular";
    seq: number;
    time: number;
    hash: Uint8Array;
    signature: Uint8Array;
  };
  user: {
    id: string;
    username: string;
    /** argon2id, as a PHC string. */
    password_hash: string;
    permission_sets: string;
    must_change_password: number;
    /** 1 when the password was good for one sign-in, which was made. */
    is_initial: number;
    created_at: number;
    updated_at: number;
    /** Null for who never did. */
    last_signed_in_at: number | null;
  };
  session: {
    jti: string;
    user_id: string;
    created_at: number;
    last_seen_at: number;
    /** Moves while the session is used, up to `last_end_at`. */
    ends_at: number;
    last_end_at: number;
    /** When the password was given last. */
    password_at: number;
    address: string | null;
    user_agent: string | null;
  };
  /** What a user proves himself with beside the password (TOTP). */
  second_factor: {
    user_id: string;
    /** Encrypted under `auth.key`. */
    seed: Uint8Array;
    /** 1 once the user gave a code of it: from then on it is asked for. */
    confirmed: number;
    /** The newest step whose code was used. */
    last_step: number;
  };
  /** Codes that stand in for the second factor, each once: SHA-256. */
  recovery_code: { user_id: string; hash: Uint8Array };
  /** What an address, or an IPv6 /64, got wrong when it tried to sign in. */
  login_failure: { network: string; failures: number; last_at: number; locked_until: number };
}
