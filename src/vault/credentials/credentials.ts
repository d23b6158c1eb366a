import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { Seal } from "#vault/seal/index.ts";
import { credentialRows, deleteCredentials, insertCredential } from "./store.ts";

export interface CredentialSummary {
  readonly id: string;
  readonly type: "api_key";
  /** The last four characters, or nothing of a short value. */
  readonly hint: string;
}

/** The upstream secrets held for providers: sealed in the store, opened in memory until the server is locked. */
export interface Credentials {
  /** Replaces a provider's whole pool inside the caller's transaction; `origin` is where the values may be sent. */
  replace(
    query: Query,
    owner: { providerId: string; origin: string },
    values: readonly Secret[],
  ): Promise<CredentialSummary[]>;
  list(query: Query, providerId: string): Promise<CredentialSummary[]>;
  /**
   * The credential to use for a request to `origin`: the first of the pool that does not cool down, or else the one
   * that will be the first to have done so; undefined when the provider has none. Throws AppError `upstream_failed`
   * when the provider has been moved to another origin.
   */
  resolve(providerId: string, origin: string): Promise<Secret | undefined>;
  /** Passes a credential that `resolve` gave over, while there are others, until `forMs` milliseconds from now. */
  coolDown(credential: Secret, forMs: number): void;
  /** Forgets what was opened for a provider, after a change was committed. */
  forget(providerId: string): void;
}

interface Opened {
  /** Where the secret may be sent. */
  readonly origin: string;
  readonly secret: Secret;
}

export function openCredentials(parts: {
  database: Database;
  seal: Seal;
  clock: Clock;
  random: Random;
}): Credentials {
  const opened = new Map<string, readonly Opened[]>();
  const coolUntil = new WeakMap<Secret, number>();
  let changes = 0;
  parts.seal.onLock(() => opened.clear());
  const open = async (providerId: string): Promise<readonly Opened[]> => {
    const known = opened.get(providerId);
    if (known !== undefined) return known;
    const before = changes;
    const rows = await credentialRows(parts.database.query, providerId);
    // Replaced while it was read: what was read must be neither kept nor used.
    if (changes !== before) return open(providerId);
    const pool = rows.map((row) => ({
      origin: row.origin,
      secret: new Secret(parts.seal.openValue(placeOf(row.id), row.sealed).toString("utf8")),
    }));
    opened.set(providerId, pool);
    return pool;
  };
  return {
    async replace(query, owner, values) {
      await deleteCredentials(query, owner.providerId);
      const summaries: CredentialSummary[] = [];
      for (const [position, value] of values.entries()) {
        const id = newId("cred", parts.random);
        const sealed = parts.seal.sealValue(placeOf(id), Buffer.from(value.expose(), "utf8"));
        const summary = { id, type: "api_key" as const, hint: hintOf(value) };
        await insertCredential(query, {
          ...summary,
          provider_id: owner.providerId,
          position,
          origin: owner.origin,
          sealed,
          created_at: parts.clock.now(),
        });
        summaries.push(summary);
      }
      return summaries;
    },
    async list(query, providerId) {
      return (await credentialRows(query, providerId)).map(({ id, hint }) => ({ id, type: "api_key", hint }));
    },
    async resolve(providerId, origin) {
      const pool = await open(providerId);
      if (pool.some((held) => held.origin !== origin)) throw new AppError("upstream_failed", MOVED);
      return longestCool(pool, coolUntil, parts.clock.now());
    },
    coolDown(credential, forMs) {
      coolUntil.set(credential, parts.clock.now() + forMs);
    },
    forget(providerId) {
      changes += 1;
      opened.delete(providerId);
    },
  };
}

const MOVED = "The provider was moved to another origin while the request was under way; send it again.";

/** The first that does not cool down; of several that do, the one that will be the first to have done so. */
function longestCool(
  pool: readonly Opened[],
  coolUntil: WeakMap<Secret, number>,
  now: number,
): Secret | undefined {
  let best: { secret: Secret; until: number } | undefined;
  for (const { secret } of pool) {
    const until = Math.max(coolUntil.get(secret) ?? 0, now);
    if (best === undefined || until < best.until) best = { secret, until };
  }
  return best?.secret;
}

function placeOf(id: string): { table: string; column: string; key: string } {
  return { table: "credential", column: "sealed", key: id };
}

function hintOf(value: Secret): string {
  const text = value.expose();
  return text.length >= 16 ? text.slice(-4) : "";
}
