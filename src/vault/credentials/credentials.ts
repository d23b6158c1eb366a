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
  /** The credential to use for a request to `origin`; undefined when the provider has none. */
  resolve(providerId: string, origin: string): Promise<Secret | undefined>;
  /** Forgets what was opened for a provider, after a change was committed. */
  forget(providerId: string): void;
}

export function openCredentials(parts: {
  database: Database;
  seal: Seal;
  clock: Clock;
  random: Random;
}): Credentials {
  const opened = new Map<string, { origin: string; secret: Secret }>();
  parts.seal.onLock(() => opened.clear());
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
      const known = opened.get(providerId);
      if (known !== undefined) return bound(known, origin);
      const [row] = await credentialRows(parts.database.query, providerId);
      if (row === undefined) return undefined;
      const secret = new Secret(parts.seal.openValue(placeOf(row.id), row.sealed).toString("utf8"));
      opened.set(providerId, { origin: row.origin, secret });
      return bound({ origin: row.origin, secret }, origin);
    },
    forget(providerId) {
      opened.delete(providerId);
    },
  };
}

function bound(held: { origin: string; secret: Secret }, origin: string): Secret {
  if (held.origin !== origin)
    throw new AppError("internal", undefined, {
      detail: "a credential was asked for an origin it was not entered for",
    });
  return held.secret;
}

function placeOf(id: string): { table: string; column: string; key: string } {
  return { table: "credential", column: "sealed", key: id };
}

function hintOf(value: Secret): string {
  const text = value.expose();
  return text.length >= 16 ? text.slice(-4) : "";
}
