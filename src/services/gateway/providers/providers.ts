import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { ResourceName } from "#platform/lib/resource-name.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { CredentialSummary, NamedCredential } from "#vault/credentials/index.ts";
import type { DeclaredProvider } from "./declared-provider.ts";
import { HeldProviders, storedProviders } from "./held-providers.ts";
import type { ProviderKind } from "./kind.ts";
import type { ProviderOptions, ProviderOptionsChange } from "./options.ts";
import type { ChangeParts } from "./provider-changes.ts";

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
  return new HeldProviders(parts, await storedProviders(parts.database));
}
