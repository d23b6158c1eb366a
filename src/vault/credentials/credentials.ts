import type { Clock } from "#platform/lib/clock.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { Seal } from "#vault/seal/index.ts";
import { CredentialPools, type CredentialUse, type OpenedCredential } from "./credential-pools.ts";
import { credentialRows, deleteCredentials, insertCredential } from "./store.ts";

export interface CredentialSummary {
  readonly id: string;
  readonly type: "api_key";
  /** The last four characters, or nothing of a short value. */
  readonly hint: string;
}

/** The upstream secrets held for providers: sealed in the store, opened in memory until the server is locked. */
export interface Credentials extends CredentialUse {
  /** Replaces a provider's whole pool inside the caller's transaction; `origin` is where the values may be sent. */
  replace(
    query: Query,
    owner: { providerId: string; origin: string },
    values: readonly Secret[],
  ): Promise<CredentialSummary[]>;
  list(query: Query, providerId: string): Promise<CredentialSummary[]>;
  /** The whole pool of a provider, for another thread to keep. Throws AppError `server_locked`. */
  open(providerId: string): Promise<readonly OpenedCredential[]>;
  /** Another thread's: the credential of this id is to cool down until `untilMs`. */
  coolUntil(credentialId: string, untilMs: number): void;
  /** Forgets what was opened for a provider, after a change was committed. */
  forget(providerId: string): void;
}

export function openCredentials(parts: {
  database: Database;
  seal: Seal;
  clock: Clock;
  random: Random;
  /** Told of each credential that is to cool down, for the other threads. */
  onCoolDown?: (credentialId: string, untilMs: number) => void;
}): Credentials {
  const { database, seal, clock, onCoolDown } = parts;
  const open = async (providerId: string): Promise<readonly OpenedCredential[]> =>
    (await credentialRows(database.query, providerId)).map(({ id, origin, sealed }) => ({
      id,
      origin,
      secret: new Secret(seal.openValue(placeOf(id), sealed).toString("utf8")),
    }));
  const pools = new CredentialPools({ clock, open, ...(onCoolDown === undefined ? {} : { onCoolDown }) });
  seal.onLock(() => pools.forgetAll());
  return {
    open,
    replace: (query, owner, values) => replacePool(parts, query, owner, values),
    async list(query, providerId) {
      return (await credentialRows(query, providerId)).map(({ id, hint }) => ({ id, type: "api_key", hint }));
    },
    resolve: (providerId, origin) => pools.resolve(providerId, origin),
    coolDown: (credential, forMs) => pools.coolDown(credential, forMs),
    coolUntil: (id, untilMs) => pools.coolUntil(id, untilMs),
    forget: (providerId) => pools.forget(providerId),
  };
}

async function replacePool(
  parts: { seal: Seal; clock: Clock; random: Random },
  query: Query,
  owner: { providerId: string; origin: string },
  values: readonly Secret[],
): Promise<CredentialSummary[]> {
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
}

function placeOf(id: string): { table: string; column: string; key: string } {
  return { table: "credential", column: "sealed", key: id };
}

function hintOf(value: Secret): string {
  const text = value.expose();
  return text.length >= 16 ? text.slice(-4) : "";
}
