import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { Turn } from "#platform/storage/turn.ts";
import type { CredentialSummary, NamedCredential } from "#vault/credentials/index.ts";
import { prepareDeclared } from "./declare-providers.ts";
import type { DeclaredProvider } from "./declared-provider.ts";
import { type ProviderKind, storedKind } from "./kind.ts";
import { removeNamedCredential, setNamedCredential } from "./named-credential-changes.ts";
import { type ProviderOptions, type ProviderOptionsChange, storedOptions } from "./options.ts";
import { type ChangeParts, insertProvider, removeProvider, updateProvider } from "./provider-changes.ts";
import { providerRows } from "./store.ts";

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a trailing slash, but for a bare host. */
  readonly baseUrl: URL;
  readonly options: ProviderOptions;
  readonly createdAt: number;
  /** What is declared in the configuration file is changed only there. */
  readonly source: "file" | "store";
}

export interface ProviderView extends Provider {
  readonly credentials: readonly CredentialSummary[];
}

export interface ProviderChange {
  readonly baseUrl?: string | undefined;
  readonly options?: ProviderOptionsChange | undefined;
  readonly credentials?: readonly Secret[] | undefined;
}

export interface NewProvider extends ProviderChange {
  readonly name: ResourceName;
  readonly kind: ProviderKind;
}

/**
 * The upstreams of this server, held in memory and changed only through here: those of the configuration file in its
 * order, then those of the store.
 */
export interface Providers {
  ordered(): readonly Provider[];
  byName(name: string): Provider | undefined;
  view(name: string): Promise<ProviderView>;
  create(wanted: NewProvider, by: ChangeAuthor): Promise<ProviderView>;
  change(name: string, change: ProviderChange, by: ChangeAuthor): Promise<ProviderView>;
  remove(name: string, by: ChangeAuthor): Promise<void>;
  /**
   * These are the declared providers from now on; what stays as it was goes on undisturbed. Throws
   * DeclaredProviderProblems, with nothing changed.
   */
  declare(list: readonly DeclaredProvider[]): Promise<void>;
  /** The secrets that declared providers refer to, and all others that are set. */
  namedCredentials(): Promise<readonly NamedCredential[]>;
  /** The names of the declared providers that refer to a secret, in their order. */
  usersOf(credential: string): readonly string[];
  /** Sets a secret, for the first declared provider that refers to it. Throws AppError `server_locked`. */
  setCredential(name: string, value: Secret, by: ChangeAuthor): Promise<void>;
  /** Throws AppError `not_found`, `credential_in_use`. */
  removeCredential(name: string, by: ChangeAuthor): Promise<void>;
  /**
   * Calls `listener` with the id of each provider that is made, changed or removed from now on, and with "" when only
   * their order changed, and waits for it before the change is answered. It must not throw.
   */
  onChange(listener: (providerId: string) => void | Promise<void>): void;
}

/** Reads the providers of the store; none is declared yet. */
export async function openProviders(parts: ChangeParts): Promise<Providers> {
  return new HeldProviders(parts, await load(parts.database));
}

class HeldProviders implements Providers {
  readonly #parts: ChangeParts;
  readonly #listeners: ((providerId: string) => void | Promise<void>)[] = [];
  /** A name is taken once: who looks whether it is free keeps his turn until he has it. */
  readonly #turn = new Turn();
  #declared: readonly Provider[] = [];
  #stored: readonly Provider[];
  #all: readonly Provider[];

  constructor(parts: ChangeParts, stored: readonly Provider[]) {
    this.#parts = parts;
    this.#stored = stored;
    this.#all = stored;
  }

  ordered(): readonly Provider[] {
    return this.#all;
  }

  byName(name: string): Provider | undefined {
    return this.#all.find((provider) => provider.name === name);
  }

  async view(name: string): Promise<ProviderView> {
    const provider = this.#mustFind(name);
    const { credentials, database } = this.#parts;
    return { ...provider, credentials: await credentials.list(database.query, provider.id) };
  }

  create(wanted: NewProvider, by: ChangeAuthor): Promise<ProviderView> {
    return this.#inTurn(async () => {
      if (this.#declared.some(({ name }) => name === wanted.name))
        throw new AppError(
          "conflict",
          `A provider named ${wanted.name} is declared in the configuration file.`,
        );
      await this.#reload(await insertProvider(this.#parts, wanted, by));
      return this.view(wanted.name);
    });
  }

  async change(name: string, change: ProviderChange, by: ChangeAuthor): Promise<ProviderView> {
    await this.#reload(await updateProvider(this.#parts, this.#mustBeStored(name), change, by));
    return this.view(name);
  }

  async remove(name: string, by: ChangeAuthor): Promise<void> {
    const provider = this.#mustBeStored(name);
    await removeProvider(this.#parts, provider, by);
    await this.#reload(provider.id);
  }

  declare(list: readonly DeclaredProvider[]): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#declared;
      const { providers, pools } = await prepareDeclared(this.#parts, list, {
        declared: before,
        stored: this.#stored,
      });
      this.#parts.credentials.declared.adopt(pools);
      this.#declared = providers;
      this.#all = [...providers, ...this.#stored];
      await this.#tell(changedIds(before, providers));
    });
  }

  async namedCredentials(): Promise<readonly NamedCredential[]> {
    const all = await this.#parts.credentials.declared.named();
    return all.map((one) => ({ ...one, usedBy: this.usersOf(one.name) }));
  }

  usersOf(credential: string): readonly string[] {
    const ids = this.#parts.credentials.declared.usersOf(credential);
    return this.#declared.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
  }

  setCredential(name: string, value: Secret, by: ChangeAuthor): Promise<void> {
    const { declared } = this.#parts.credentials;
    return this.#inTurn(async () => {
      await setNamedCredential(this.#parts, { name, value }, by);
      declared.renew(name);
      await this.#tell(declared.usersOf(name));
    });
  }

  removeCredential(name: string, by: ChangeAuthor): Promise<void> {
    return this.#inTurn(() => removeNamedCredential(this.#parts, name, by));
  }

  onChange(listener: (providerId: string) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  async #reload(id: string): Promise<void> {
    this.#stored = await load(this.#parts.database);
    this.#all = [...this.#declared, ...this.#stored];
    await this.#tell([id]);
  }

  async #tell(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#parts.credentials.forget(id);
    for (const id of ids) for (const listener of this.#listeners) await listener(id);
  }

  #mustFind(name: string): Provider {
    const provider = this.byName(name);
    if (provider === undefined) throw new AppError("not_found", `There is no provider named ${name}.`);
    return provider;
  }

  #mustBeStored(name: string): Provider {
    const provider = this.#mustFind(name);
    if (provider.source === "store") return provider;
    throw new AppError(
      "declared_in_file",
      `The provider ${name} is declared in the configuration file; change it there.`,
    );
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = await this.#turn.take();
    try {
      return await work();
    } finally {
      done();
    }
  }
}

/** The ids of those that are new, other, or gone. */
function changedIds(before: readonly Provider[], after: readonly Provider[]): readonly string[] {
  const changed = after.filter((provider) => !before.includes(provider)).map(({ id }) => id);
  const gone = before.filter(({ id }) => !after.some((provider) => provider.id === id)).map(({ id }) => id);
  const isMoved = after.some((provider, index) => provider !== before[index]);
  const ids = [...changed, ...gone];
  return ids.length === 0 && isMoved ? [""] : ids;
}

async function load(database: Database): Promise<Provider[]> {
  const rows = await providerRows(database.query);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: storedKind(row.kind),
    baseUrl: new URL(row.base_url),
    options: storedOptions(row.options),
    createdAt: row.created_at,
    source: "store",
  }));
}
