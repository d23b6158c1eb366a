import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import type { CredentialSummary } from "#vault/credentials/index.ts";
import { type ProviderKind, storedKind } from "./kind.ts";
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

/** The upstreams of this server, in their order, held in memory and changed only through here. */
export interface Providers {
  ordered(): readonly Provider[];
  byName(name: string): Provider | undefined;
  view(name: string): Promise<ProviderView>;
  create(wanted: NewProvider, by: ChangeAuthor): Promise<ProviderView>;
  change(name: string, change: ProviderChange, by: ChangeAuthor): Promise<ProviderView>;
  remove(name: string, by: ChangeAuthor): Promise<void>;
  /**
   * Calls `listener` with the id of each provider that is made, changed or removed from now on, and waits for it before
   * the change is answered. It must not throw.
   */
  onChange(listener: (providerId: string) => void | Promise<void>): void;
}

export async function openProviders(parts: ChangeParts): Promise<Providers> {
  let providers = await load(parts.database);
  const listeners: ((providerId: string) => void | Promise<void>)[] = [];
  const find = (name: string) => providers.find((provider) => provider.name === name);
  const mustFind = (name: string) => found(find(name), name);
  const view = async (name: string) => {
    const provider = mustFind(name);
    return { ...provider, credentials: await parts.credentials.list(parts.database.query, provider.id) };
  };
  const reload = async (id: string) => {
    parts.credentials.forget(id);
    providers = await load(parts.database);
    for (const listener of listeners) await listener(id);
  };
  return {
    ordered: () => providers,
    byName: find,
    view,
    async create(wanted, by) {
      await reload(await insertProvider(parts, wanted, by));
      return view(wanted.name);
    },
    async change(name, change, by) {
      await reload(await updateProvider(parts, mustFind(name), change, by));
      return view(name);
    },
    async remove(name, by) {
      const provider = mustFind(name);
      await removeProvider(parts, provider, by);
      await reload(provider.id);
    },
    onChange: (listener) => listeners.push(listener),
  };
}

function found(provider: Provider | undefined, name: string): Provider {
  if (provider === undefined) throw new AppError("not_found", `There is no provider named ${name}.`);
  return provider;
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
  }));
}
