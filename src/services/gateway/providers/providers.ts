import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import type { CredentialSummary, Credentials } from "#vault/credentials/index.ts";
import { type ProviderKind, parseBaseUrl, storedKind } from "./kind.ts";
import {
  deleteProvider,
  insertProvider,
  nextPosition,
  providerByName,
  providerRows,
  updateBaseUrl,
} from "./store.ts";

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly kind: ProviderKind;
  /** Without a trailing slash, but for a bare host. */
  readonly baseUrl: URL;
  readonly createdAt: number;
}

export interface ProviderView extends Provider {
  readonly credentials: readonly CredentialSummary[];
}

export interface ProviderChange {
  readonly baseUrl?: string | undefined;
  readonly credentials?: readonly Secret[] | undefined;
}

/** The upstreams of this server, in their order, held in memory and changed only through here. */
export interface Providers {
  ordered(): readonly Provider[];
  byName(name: string): Provider | undefined;
  view(name: string): Promise<ProviderView>;
  create(
    wanted: { name: string; kind: ProviderKind } & ProviderChange,
    by: ChangeAuthor,
  ): Promise<ProviderView>;
  change(name: string, change: ProviderChange, by: ChangeAuthor): Promise<ProviderView>;
  remove(name: string, by: ChangeAuthor): Promise<void>;
  /** Calls `listener` with the id of each provider that is made, changed or removed from now on. It must not throw. */
  onChange(listener: (providerId: string) => void): void;
}

const OTHER_ORIGIN =
  "A credential stays with the origin it was entered for: send new credentials with a base_url of another origin.";

interface Parts {
  readonly database: Database;
  readonly credentials: Credentials;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly random: Random;
}

export async function openProviders(parts: Parts): Promise<Providers> {
  let providers = await load(parts.database);
  const listeners: ((providerId: string) => void)[] = [];
  const find = (name: string) => providers.find((provider) => provider.name === name);
  const mustFind = (name: string) => found(find(name), name);
  const view = async (name: string) => {
    const provider = mustFind(name);
    return { ...provider, credentials: await parts.credentials.list(parts.database.query, provider.id) };
  };
  const reload = async (id: string) => {
    parts.credentials.forget(id);
    providers = await load(parts.database);
    for (const listener of listeners) listener(id);
  };
  return {
    ordered: () => providers,
    byName: find,
    view,
    async create(wanted, by) {
      await reload(await insert(parts, wanted, by));
      return view(wanted.name);
    },
    async change(name, change, by) {
      await reload(await update(parts, mustFind(name), change, by));
      return view(name);
    },
    async remove(name, by) {
      const provider = mustFind(name);
      await parts.database.transaction(async (query) => {
        await deleteProvider(query, provider.id);
        await parts.audit.append(query, changeEntry(by, "provider.remove", name));
      });
      await reload(provider.id);
    },
    onChange: (listener) => listeners.push(listener),
  };
}

function found(provider: Provider | undefined, name: string): Provider {
  if (provider === undefined) throw new AppError("not_found", `There is no provider named ${name}.`);
  return provider;
}

async function insert(
  parts: Parts,
  wanted: { name: string; kind: ProviderKind } & ProviderChange,
  by: ChangeAuthor,
): Promise<string> {
  const baseUrl = parseBaseUrl(wanted.kind, wanted.baseUrl);
  const id = newId("prov", parts.random);
  const now = parts.clock.now();
  await parts.database.transaction(async (query) => {
    if ((await providerByName(query, wanted.name)) !== undefined)
      throw new AppError("conflict", `A provider named ${wanted.name} exists.`);
    const position = await nextPosition(query);
    await insertProvider(query, {
      id,
      name: wanted.name,
      kind: wanted.kind,
      base_url: baseUrl.href,
      position,
      created_at: now,
      updated_at: now,
    });
    await parts.credentials.replace(
      query,
      { providerId: id, origin: baseUrl.origin },
      wanted.credentials ?? [],
    );
    await parts.audit.append(query, changeEntry(by, "provider.create", wanted.name));
  });
  return id;
}

async function update(
  parts: Parts,
  provider: Provider,
  change: ProviderChange,
  by: ChangeAuthor,
): Promise<string> {
  await parts.database.transaction(async (query) => {
    // Read here, so that of two changes at once the later sees the origin the earlier has set.
    const stored = await providerByName(query, provider.name);
    if (stored?.id !== provider.id) throw new AppError("not_found");
    const present = new URL(stored.base_url);
    const baseUrl = change.baseUrl === undefined ? present : parseBaseUrl(provider.kind, change.baseUrl);
    if (baseUrl.origin !== present.origin && change.credentials === undefined)
      throw new AppError("bad_request", OTHER_ORIGIN);
    await updateBaseUrl(query, provider.id, { base_url: baseUrl.href, updated_at: parts.clock.now() });
    if (change.credentials !== undefined) {
      await parts.credentials.replace(
        query,
        { providerId: provider.id, origin: baseUrl.origin },
        change.credentials,
      );
    }
    await parts.audit.append(query, changeEntry(by, "provider.change", provider.name));
  });
  return provider.id;
}

async function load(database: Database): Promise<Provider[]> {
  const rows = await providerRows(database.query);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    kind: storedKind(row.kind),
    baseUrl: new URL(row.base_url),
    createdAt: row.created_at,
  }));
}

function changeEntry(by: ChangeAuthor, action: string, target: string): AuditEntry {
  return {
    actor: callerId(by.principal),
    action,
    target,
    outcome: "success",
    address: by.address,
    requestId: by.requestId,
    count: 1,
  };
}
