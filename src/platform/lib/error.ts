/** Every error a caller can meet: stable code -> HTTP status and public title. The docs table is made from this. */
export const ERRORS = {
  bad_request: { status: 400, title: "The request is malformed." },
  unknown_field: { status: 400, title: "The request has a field this server does not know." },
  base_url_denied: { status: 400, title: "This server does not connect to that address." },
  credential_conflict: { status: 400, title: "Two different credentials were presented; send one." },
  credential_in_url: {
    status: 400,
    title: "A credential must not be in the URL; send it in the Authorization header.",
  },
  password_required: {
    status: 400,
    title: "Nothing but a password would protect what is in this backup; send one.",
  },
  wrong_dialect: { status: 400, title: "This model is called in another API." },
  key_not_initialized: {
    status: 400,
    title: "No server key is set; set one with: claviger key init, or POST /api/v1/key/initialize.",
  },
  key_too_short: { status: 400, title: "A server key has at least 12 characters." },
  key_too_long: { status: 400, title: "A server key has at most 4096 bytes." },
  weak_password: {
    status: 400,
    title: "A password has at least 12 characters, and is none that everybody tries first.",
  },
  pin_refused: { status: 400, title: "This PIN may not be used." },
  join_version: {
    status: 400,
    title: "This server speaks another version of joining; upgrade the older one.",
  },
  tls_intercepted: {
    status: 400,
    title: "The certificate that the joiner saw is not this server's: something stands between the two.",
  },
  invalid_token: { status: 401, title: "Missing or invalid credential." },
  sign_in_refused: { status: 401, title: "The user name or the password is wrong." },
  second_factor_required: {
    status: 401,
    title: "The password is right; a code of the second factor is wanted too.",
  },
  forbidden: { status: 403, title: "This principal lacks the permission." },
  exceeds_own_rights: { status: 403, title: "The result would exceed the caller's own rights." },
  wrong_password: { status: 403, title: "This is not the password." },
  wrong_code: { status: 403, title: "This is not the code of now." },
  password_change_required: {
    status: 403,
    title: "The password must be changed before anything else: PUT /api/v1/me/password.",
  },
  reauthenticate: {
    status: 403,
    title: "The password was given too long ago for this; give it again: POST /api/v1/me/reauthenticate.",
  },
  wrong_key: { status: 403, title: "This is not the server key." },
  wrong_pin: { status: 403, title: "The PIN is not the cluster's, or the messages were not its own." },
  needs_pin: {
    status: 403,
    title: "The two members have different PINs; type the new one where it is missing: claviger reset-pin",
  },
  joining_closed: {
    status: 403,
    title: "Joining is closed; open it on a member with: claviger cluster open",
  },
  cross_origin: { status: 403, title: "A page of another origin may not make this request." },
  not_found: { status: 404, title: "There is nothing here." },
  model_not_found: { status: 404, title: "No provider serves this model." },
  method_not_allowed: { status: 405, title: "This method is not among those allowed here." },
  request_timeout: { status: 408, title: "The request took too long to arrive." },
  conflict: { status: 409, title: "The name is taken." },
  cluster_exists: { status: 409, title: "This server is in a cluster already." },
  cluster_full: { status: 409, title: "The cluster has as many nodes as it can." },
  node_exists: { status: 409, title: "Another node of that id or name is in the cluster." },
  backup_busy: { status: 409, title: "A backup is being made; only one is at a time." },
  credential_in_use: {
    status: 409,
    title: "A provider of the configuration file refers to this credential.",
  },
  declared_in_file: {
    status: 409,
    title: "This is declared in the configuration file and can be changed only there.",
  },
  key_initialized: {
    status: 409,
    title: "The server key is set already; to change it: claviger key rotate, or POST /api/v1/key/rotate.",
  },
  last_superadmin: { status: 409, title: "The last user with the permission set superadmin must stay." },
  seal_busy: { status: 409, title: "The server key is being set or changed right now; try again." },
  join_busy: { status: 409, title: "Another server is joining right now; try again." },
  body_too_large: { status: 413, title: "The body is larger than this server accepts." },
  unsupported_media_type: { status: 415, title: "The body's content type or coding is not accepted here." },
  wrong_host: { status: 421, title: "This server does not answer for that host name." },
  config_refused: {
    status: 422,
    title: "The configuration has problems; the one before stays in force.",
  },
  quota_exhausted: { status: 429, title: "The tokens of the day or the spend of the month are used up." },
  rate_limited: { status: 429, title: "Too many requests; come back after the time that retry-after tells." },
  header_too_large: { status: 431, title: "The request headers are larger than this server accepts." },
  internal: { status: 500, title: "The server made a mistake." },
  upgrade_not_supported: {
    status: 501,
    title: "Connections cannot be upgraded here, to WebSocket or anything else.",
  },
  upstream_unreachable: { status: 502, title: "The upstream could not be reached." },
  upstream_failed: { status: 502, title: "The upstream's answer could not be used." },
  upstream_credential_rejected: {
    status: 502,
    title: "The upstream refused the credential this server holds.",
  },
  credential_missing: {
    status: 502,
    title: "This server holds no credential that it may use for the upstream.",
  },
  egress_denied: { status: 502, title: "This server does not connect to that address." },
  server_locked: { status: 503, title: "The server is locked; an operator must unlock it." },
  discovery_failed: { status: 503, title: "This server cannot look for members on its network." },
  cluster_closed: {
    status: 503,
    title: "The cluster's credential files are not as they must be; the log and claviger doctor say why.",
  },
  reseal_unfinished: {
    status: 503,
    title: "The server key holds, but not every secret is sealed anew; rotate with equal keys.",
  },
  shutting_down: { status: 503, title: "The server is shutting down." },
  upstream_timeout: { status: 504, title: "The upstream did not answer in time." },
  keys_full: { status: 507, title: "There is no room for another key until the server is started again." },
  storage_full: { status: 507, title: "The disk is full; nothing was changed." },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * The one error callers are meant to see. `message` is public text; `detail` is for the operator's log only.
 * Anything else that is thrown is a bug and answers as `internal`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** The table's, unless another was given: where a code is met in a place of its own. */
  readonly status: number;
  readonly detail: string | undefined;
  /** Whole seconds after which it is worth another try; undefined where nobody knows. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { detail?: string; cause?: unknown; retryAfterS?: number; status?: number } = {},
  ) {
    super(message ?? ERRORS[code].title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.status = options.status ?? ERRORS[code].status;
    this.detail = options.detail;
    this.retryAfterS = options.retryAfterS;
  }
}

/** A problem that stops the program: what is wrong, and the line that repairs it. Exit codes follow sysexits(3). */
export class StartError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StartError";
    this.exitCode = options.exitCode ?? 78;
  }
}
