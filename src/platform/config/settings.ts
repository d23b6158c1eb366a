import * as z from "zod";
import { isAddressOrRange, isHostName, isOrigin } from "./addresses.ts";
import { priceOverrideSchema } from "./price-override.ts";

/** What is known of a setting beside its schema. */
export interface SettingFacts {
  /** The environment variable that sets it (and `CLAVIGER_…`, `…_FILE`); absent: only the file sets it. */
  readonly environment?: string;
  /** How the text of a flag or variable is read; a list is split at commas. */
  readonly form: "word" | "boolean" | "integer" | "list" | "table";
  /** Ends the sentence "NAME must be …". */
  readonly accepts: string;
  readonly doc: string;
  /** A reload puts it in force; every other setting is read at the start alone. */
  readonly live?: true;
}

const facts = z.registry<SettingFacts>();

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
const MDNS_MODES = ["joining", "on", "off"] as const;
const TRUE_OR_FALSE = { form: "boolean", accepts: "true or false" } as const;

/** Every setting of `settings:` in `claviger.yaml`, once: schema, default, and in the registry its facts. */
const settingsSchema = z.strictObject({
  log_level: z
    .enum(LOG_LEVELS)
    .default("info")
    .register(facts, {
      environment: "LOG_LEVEL",
      form: "word",
      accepts: `one of ${LOG_LEVELS.join(", ")}`,
      doc: "The least severe messages that are logged.",
    }),
  enable_request_logs: z
    .boolean()
    .default(false)
    .register(facts, {
      environment: "ENABLE_REQUEST_LOGS",
      ...TRUE_OR_FALSE,
      doc: "Also log the metadata row of each gateway request (as GET /api/v1/requests shows it); never text of the request or answer.",
    }),
  require_api_key: z
    .boolean()
    .default(false)
    .register(facts, {
      environment: "REQUIRE_API_KEY",
      ...TRUE_OR_FALSE,
      doc: "Demand an API key on the gateway from local programs too.",
      live: true,
    }),
  trusted_proxies: z.array(z.string().refine(isAddressOrRange)).default([]).register(facts, {
    environment: "TRUSTED_PROXIES",
    form: "list",
    accepts: "a list of IP addresses and CIDR ranges (10.0.0.0/8)",
    doc: "Proxies whose X-Forwarded-For is believed: the rightmost address there that is no trusted proxy's is the caller's.",
  }),
  auth_cookie_secure: z
    .boolean()
    .default(false)
    .register(facts, {
      environment: "AUTH_COOKIE_SECURE",
      ...TRUE_OR_FALSE,
      doc: "Mark the session cookie Secure on plain HTTP as well, for a proxy that ends TLS.",
    }),
  allowed_hosts: z.array(z.string().refine(isHostName).toLowerCase()).default([]).register(facts, {
    form: "list",
    accepts: "a list of host names without port or wildcard",
    doc: "Further host names this server answers for.",
    live: true,
  }),
  allowed_origins: z.array(z.string().refine(isOrigin)).default([]).register(facts, {
    form: "list",
    accepts: "a list of exact origins (https://app.example:8443), never *",
    doc: "Web pages of other origins that may use the gateway.",
    live: true,
  }),
  allow_plain_http: z
    .boolean()
    .default(false)
    .register(facts, {
      ...TRUE_OR_FALSE,
      doc: "Permit plain HTTP on addresses that are not loopback.",
      live: true,
    }),
  gateway_body_limit_bytes: z.int().min(1024).max(1073741824).default(33554432).register(facts, {
    form: "integer",
    accepts: "a whole number of bytes from 1024 to 1073741824",
    doc: "The largest request body on the gateway, in bytes.",
  }),
  prices: z.array(priceOverrideSchema).max(1000).default([]).register(facts, {
    form: "table",
    accepts:
      "a list of model, input_usd_per_million and output_usd_per_million (docs/usage.md names the other fields)",
    doc: "What models cost where the bundled table is wrong or silent: [docs/usage.md](usage.md#overrides).",
  }),
  mdns: z
    .enum(MDNS_MODES)
    .default("joining")
    .register(facts, {
      form: "word",
      accepts: `one of ${MDNS_MODES.join(", ")}`,
      doc: "When a member of a cluster is told of on the local network, for others to find: while it lets them join, always, or never. [docs/cluster.md](cluster.md#find-members).",
    }),
  workers: z.int().min(1).max(64).default(1).register(facts, {
    form: "integer",
    accepts: "a whole number of threads from 1 to 64",
    doc: "How many threads serve the gateway: [docs/threads.md](threads.md). Each takes about 30 MiB.",
  }),
  request_log_days: z.int().min(1).max(36500).default(30).register(facts, {
    form: "integer",
    accepts: "a whole number of days from 1 to 36500",
    doc: "How long a row about each gateway request is kept: [docs/disk.md](disk.md#how-long-rows-are-kept).",
  }),
  request_log_max_mb: z.int().min(1).max(1048576).default(1024).register(facts, {
    form: "integer",
    accepts: "a whole number of megabytes from 1 to 1048576",
    doc: "How large the request log may become; the oldest rows go first.",
  }),
  audit_days: z.int().min(1).max(36500).default(400).register(facts, {
    form: "integer",
    accepts: "a whole number of days from 1 to 36500",
    doc: "How long a record of the audit is kept.",
  }),
  audit_max_mb: z.int().min(1).max(1048576).default(1024).register(facts, {
    form: "integer",
    accepts: "a whole number of megabytes from 1 to 1048576",
    doc: "How large the audit may become; the oldest records go first.",
  }),
  usage_days: z.int().min(62).max(36500).default(730).register(facts, {
    form: "integer",
    accepts: "a whole number of days from 62 to 36500",
    doc: "How long sums of usage are kept.",
  }),
  usage_max_mb: z.int().min(1).max(1048576).default(256).register(facts, {
    form: "integer",
    accepts: "a whole number of megabytes from 1 to 1048576",
    doc: "How large each table of sums may become; the oldest go first, but none of the last 62 days.",
  }),
  disk_low_mb: z.int().min(0).max(1048576).default(200).register(facts, {
    form: "integer",
    accepts: "a whole number of megabytes from 0 to 1048576",
    doc: "With less free on the disk of the data directory changes are refused and requests are not logged: [docs/disk.md](disk.md). 0 turns that off.",
  }),
  disk_reserve_mb: z.int().min(0).max(1024).default(8).register(facts, {
    form: "integer",
    accepts: "a whole number of megabytes from 0 to 1024",
    doc: "What is kept for locking, signing in, revoking and removing on a full disk.",
  }),
  drain_timeout_ms: z.int().min(0).max(600000).default(10000).register(facts, {
    form: "integer",
    accepts: "a whole number of milliseconds from 0 to 600000",
    doc: "How long running requests may take to end after a stop signal, in milliseconds.",
  }),
});

/** The settings as the server uses them. */
export type Settings = Readonly<z.infer<typeof settingsSchema>>;
export type SettingKey = keyof Settings;

/** A setting with all that is known of it. */
export interface Setting extends SettingFacts {
  readonly key: SettingKey;
  readonly schema: z.ZodType;
  readonly fallback: unknown;
}

export const SETTINGS: readonly Setting[] = settingsSchema.keyof().options.map((key) => {
  const schema = settingsSchema.shape[key];
  const known = facts.get(schema);
  if (known === undefined) throw new Error(`setting ${key} is not described`);
  return { key, schema, fallback: schema.parse(undefined), ...known };
});

/** Settings from values that were checked one by one; what is absent has its default. */
export function completeSettings(values: ReadonlyMap<SettingKey, unknown>): Settings {
  return Object.freeze(settingsSchema.parse(Object.fromEntries(values)));
}

export type SecretName = "INITIAL_PASSWORD" | "JWT_SECRET" | "API_KEY_SECRET";

/** Secrets, which only the environment can set: they have no place in a file that is kept in git. */
export const SECRET_VARIABLES: readonly {
  readonly name: SecretName;
  readonly doc: string;
}[] = [
  {
    name: "INITIAL_PASSWORD",
    doc: "What the first user, admin, signs in with on a fresh server, once; he must change it then.",
  },
  {
    name: "JWT_SECRET",
    doc: "Signs sessions; at least 32 bytes. Unset: generated into secrets/jwt_secret of the data directory.",
  },
  {
    name: "API_KEY_SECRET",
    doc: "Keys the digests of API keys; at least 32 bytes. Unset: generated into secrets/api_key_secret of the data directory.",
  },
];

/** Variables that would move the store elsewhere. Ignoring them would split it silently, so they are refused. */
export const REFUSED_VARIABLES = [
  { name: "DATABASE_URL", reason: "this version stores in SQLite" },
  { name: "REDIS_URL", reason: "this version runs as one process" },
] as const;
