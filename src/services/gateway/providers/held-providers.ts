import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import type { NamedCredential } from "#vault/credentials/index.ts";
import { prepareDeclared } from "./declare-providers.ts";
import type { DeclaredProvider } from "./declared-provider.ts";
import { storedKind } from "./kind.ts";
import { removeNamedCredential, setNamedCredential } from "./named-credential-changes.ts";
import { storedOptions } from "./options.ts";
import { type ChangeParts, insertProvider, removeProvider, updateProvider } from "./provider-changes.ts";
import type { NewProvider, Provider, ProviderChange, Providers, ProviderView } from "./providers.ts";
import { providerRows } from "./store.ts";

/** The providers as the main thread holds them. */
export class HeldProviders implements Providers {
  readonly #parts: ChangeParts;
  readonly #listeners: ((providerId: string) => void | Promise<void>)[] = [];
  /** One change after the other: who looks whether a name is free keeps his turn until he has it. */
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

  change(name: string, change: ProviderChange, by: ChangeAuthor): Promise<ProviderView> {
    return this.#inTurn(async () => {
      await this.#reload(await updateProvider(this.#parts, this.#mustBeStored(name), change, by));
      return this.view(name);
    });
  }

  remove(name: string, by: ChangeAuthor): Promise<void> {
    return this.#inTurn(async () => {
      const provider = this.#mustBeStored(name);
      await removeProvider(this.#parts, provider, by);
      await this.#reload(provider.id);
    });
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

  /** Of the others each stays the same object: what is under way for it goes on being its own. */
  async #reload(id: string): Promise<void> {
    const before = new Map(this.#stored.map((provider) => [provider.id, provider]));
    before.delete(id);
    const rows = await storedProviders(this.#parts.database);
    this.#stored = rows.map((provider) => before.get(provider.id) ?? provider);
    this.#all = [...this.#declared, ...this.#stored];
    await this.#tell([id]);
  }

  async #tell(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#parts.credentials.forget(id);
    // All at once: one thread that does not answer must not be waited for once for each of them.
    await Promise.all(ids.flatMap((id) => this.#listeners.map((listener) => listener(id))));
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

/** The providers of the store, in their order. */
export async function storedProviders(database: Database): Promise<Provider[]> {
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
