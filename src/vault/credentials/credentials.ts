import type { Clock } from "#platform/lib/clock.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { Seal } from "#vault/seal/index.ts";
import { CredentialPools, type CredentialUse, type OpenedCredential } from "./credential-pools.ts";
import type { EnvironmentLookup } from "./credential-source.ts";
import { type DeclaredPool, DeclaredPools, type ReadPools } from "./declared-pools.ts";
import { hintOf } from "./hint.ts";
import { type NamedCredential, storeNamed } from "./named-credentials.ts";
import { credentialRows, deleteCredentials, deleteNamed, insertCredential, namedRows } from "./store.ts";

export interface CredentialSummary {
  readonly id: string;
  readonly type: "api_key";
  /** The last four characters, or nothing of a short value. */
  readonly hint: string;
  /** Why it cannot be used, and how to repair that; undefined when it can be. */
  readonly problem?: string | undefined;
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
  /** The whole pool of a provider, for another thread to keep. Throws AppError `credential_missing`, `server_locked`. */
  open(providerId: string): Promise<readonly OpenedCredential[]>;
  /** Another thread's: the credential of this id is to cool down until `untilMs`. */
  coolUntil(credentialId: string, untilMs: number): void;
  /** Forgets what was opened for a provider, after a change was committed. */
  forget(providerId: string): void;
  readonly declared: DeclaredCredentials;
}

/** The credentials that the configuration file names, and the sealed secrets among them. */
interface DeclaredCredentials {
  /** Reads what environment and files hold now; nothing changes. */
  read(pools: readonly DeclaredPool[]): Promise<ReadPools>;
  /** Binds, in the caller's transaction, secrets that are bound to nothing yet to the first provider that names them. */
  bind(query: Query, pools: ReadPools): Promise<void>;
  /** Whether a provider's credentials are the same in `next` as now. */
  isSameIn(next: ReadPools, providerId: string): boolean;
  /** These are the declared pools from now on; what was opened of others is still to be forgotten. */
  adopt(pools: ReadPools): void;
  /** Seals a secret under its name, in place of an older one, for the first provider that names it. Throws AppError `server_locked`. */
  set(query: Query, name: string, value: Secret): Promise<void>;
  /** After a secret was set: it begins anew, and cools down for nothing its forerunner was told. */
  renew(name: string): void;
  /** Whether there was one. */
  remove(query: Query, name: string): Promise<boolean>;
  /** Every secret that is set or referred to, by name. */
  named(): Promise<readonly NamedCredential[]>;
  /** The ids of the providers that refer to a secret, in their order. */
  usersOf(name: string): readonly string[];
}

export function openCredentials(parts: {
  database: Database;
  seal: Seal;
  clock: Clock;
  random: Random;
  /** The environment, for what the configuration file names there; it holds nothing unless given. */
  environment?: EnvironmentLookup;
  /** Told of each credential that is to cool down, for the other threads. */
  onCoolDown?: (credentialId: string, untilMs: number) => void;
}): Credentials {
  const { database, seal, clock, onCoolDown } = parts;
  const declared = new DeclaredPools({ environment: () => undefined, ...parts });
  const openStored = async (providerId: string): Promise<readonly OpenedCredential[]> =>
    (await credentialRows(database.query, providerId)).map(({ id, origin, sealed }) => ({
      id,
      origin,
      secret: new Secret(seal.openValue(placeOf(id), sealed).toString("utf8")),
    }));
  const open = (providerId: string) =>
    declared.has(providerId) ? declared.open(providerId) : openStored(providerId);
  const pools = new CredentialPools({ clock, open, ...(onCoolDown === undefined ? {} : { onCoolDown }) });
  seal.onLock(() => pools.forgetAll());
  return {
    open,
    replace: (query, owner, values) => replacePool(parts, query, owner, values),
    async list(query, providerId) {
      if (declared.has(providerId))
        return (await declared.list(providerId)).map((one) => ({ ...one, type: "api_key" }));
      return (await credentialRows(query, providerId)).map(({ id, hint }) => ({ id, type: "api_key", hint }));
    },
    resolve: (providerId, origin) => pools.resolve(providerId, origin),
    coolDown: (credential, forMs) => pools.coolDown(credential, forMs),
    coolUntil: (id, untilMs) => pools.coolUntil(id, untilMs),
    forget: (providerId) => pools.forget(providerId),
    declared: declaredCredentials(parts, declared),
  };
}

function declaredCredentials(
  parts: { database: Database; seal: Seal; clock: Clock },
  pools: DeclaredPools,
): DeclaredCredentials {
  const usersOf = (name: string) => pools.usersOf(name).map(({ providerId }) => providerId);
  return {
    read: (declared) => pools.read(declared),
    bind: (query, next) => pools.bind(query, next),
    isSameIn: (next, providerId) => pools.isSameIn(next, providerId),
    adopt: (next) => pools.adopt(next),
    renew: (name) => pools.renew(name),
    set: (query, name, value) => storeNamed(parts, query, { name, value, to: pools.usersOf(name)[0]?.to }),
    remove: deleteNamed,
    async named() {
      const hints = new Map((await namedRows(parts.database.query)).map(({ name, hint }) => [name, hint]));
      const names = new Set([...hints.keys(), ...pools.secretNames()]);
      return [...names].sort().map((name) => ({ name, hint: hints.get(name), usedBy: usersOf(name) }));
    },
    usersOf,
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
