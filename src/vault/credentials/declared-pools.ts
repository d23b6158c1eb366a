import { AppError } from "#platform/lib/error.ts";
import { newId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { Database, Query } from "#platform/storage/database.ts";
import type { Seal } from "#vault/seal/index.ts";
import type { OpenedCredential } from "./credential-pools.ts";
import {
  type CredentialSource,
  type Destination,
  type EnvironmentLookup,
  type Found,
  readSource,
} from "./credential-source.ts";
import { hintOf } from "./hint.ts";
import { boundTo, isFor, namedPlace } from "./named-credentials.ts";
import { bindNamed, type NamedRow, namedRow } from "./store.ts";

/** The credentials of a provider of the configuration file, in their order. */
export interface DeclaredPool {
  readonly providerId: string;
  readonly to: Destination;
  readonly sources: readonly CredentialSource[];
}

/** A credential as the operator sees it: where it is to be had, and why it is not. */
interface DeclaredCredential {
  readonly id: string;
  readonly hint: string;
  readonly problem: string | undefined;
}

const NOT_READ = { problem: "The credential was not read." };

interface Entry {
  readonly id: string;
  readonly source: CredentialSource;
  /** Read when it was declared; undefined for what the store keeps. */
  readonly found: Found | undefined;
}

interface ReadPool extends DeclaredPool {
  readonly entries: readonly Entry[];
}

/** Pools with what the environment and the files hold for them; nothing changes before they are adopted. */
export type ReadPools = ReadonlyMap<string, ReadPool>;

interface Parts {
  readonly database: Database;
  readonly seal: Seal;
  readonly random: Random;
  readonly environment: EnvironmentLookup;
}

/** The pools of the configuration file's providers. What the store keeps for them is opened anew each time. */
export class DeclaredPools {
  readonly #parts: Parts;
  #pools: ReadPools = new Map();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Reads what the environment and the files hold for these pools. */
  async read(declared: readonly DeclaredPool[]): Promise<ReadPools> {
    const { environment, random } = this.#parts;
    const pools = declared.map(async (pool): Promise<[string, ReadPool]> => {
      const entries = pool.sources.map(async (source) => ({
        id: newId("cred", random),
        source,
        found: "secret" in source ? undefined : await readSource(source, environment),
      }));
      return [pool.providerId, { ...pool, entries: await Promise.all(entries) }];
    });
    return new Map(await Promise.all(pools));
  }

  /** What is the same stays, with the ids by which its credentials cool down. */
  adopt(next: ReadPools): void {
    const present = this.#pools;
    this.#pools = new Map(
      [...next].map(([id, pool]) => [id, this.isSameIn(next, id) ? (present.get(id) ?? pool) : pool]),
    );
  }

  /** A secret was replaced: what cools down is the old one. */
  renew(secretName: string): void {
    const renewed = this.usersOf(secretName).map(({ providerId, entries, ...pool }): [string, ReadPool] => [
      providerId,
      {
        ...pool,
        providerId,
        entries: entries.map((entry) => ({ ...entry, id: newId("cred", this.#parts.random) })),
      },
    ]);
    this.#pools = new Map([...this.#pools, ...renewed]);
  }

  has(providerId: string): boolean {
    return this.#pools.has(providerId);
  }

  /** Whether a provider's pool is the same in `next`, what was read for it too. */
  isSameIn(next: ReadPools, providerId: string): boolean {
    const [present, then] = [this.#pools.get(providerId), next.get(providerId)];
    return present !== undefined && then !== undefined && contentOf(present) === contentOf(then);
  }

  /** The pools that name this secret, in their order. */
  usersOf(secretName: string): readonly ReadPool[] {
    return [...this.#pools.values()].filter(({ sources }) =>
      sources.some((source) => names(source, secretName)),
    );
  }

  /** The names of all secrets that are referred to. */
  secretNames(): ReadonlySet<string> {
    const all = [...this.#pools.values()].flatMap(({ sources }) => sources);
    return new Set(all.flatMap((source) => ("secret" in source ? [source.secret] : [])));
  }

  /** Binds each secret that is bound to nothing yet to the first provider that names it. */
  async bind(query: Query, pools: ReadPools): Promise<void> {
    for (const { sources, to } of pools.values())
      for (const source of sources)
        if ("secret" in source)
          await bindNamed(query, source.secret, { origin: to.origin, proxy: to.proxy ?? null });
  }

  /** The credentials that are to be had. Throws AppError `credential_missing` when there are only others, `server_locked`. */
  async open(providerId: string): Promise<readonly OpenedCredential[]> {
    if (this.#parts.seal.isLocked()) throw new AppError("server_locked");
    const pool = this.#pools.get(providerId);
    if (pool === undefined) return [];
    const all = await Promise.all(
      pool.entries.map(async (entry) => ({ id: entry.id, ...(await this.#find(entry, pool.to)) })),
    );
    const opened = all.flatMap((one) =>
      "secret" in one ? [{ id: one.id, origin: pool.to.origin, secret: one.secret }] : [],
    );
    const problems = all.flatMap((one) => ("problem" in one ? [one.problem] : []));
    if (opened.length === 0 && problems.length > 0)
      throw new AppError("credential_missing", undefined, { detail: problems.join(" ") });
    return opened;
  }

  /** All credentials of a provider. */
  async list(providerId: string): Promise<readonly DeclaredCredential[]> {
    const pool = this.#pools.get(providerId);
    if (pool === undefined) return [];
    return Promise.all(
      pool.entries.map(async (entry) => {
        const { id } = entry;
        const known = await this.#known(entry, pool.to);
        if ("problem" in known) return { id, hint: "", problem: known.problem };
        return { id, hint: "secret" in known ? hintOf(known.secret) : known.hint, problem: undefined };
      }),
    );
  }

  async #known({ source, found }: Entry, to: Destination): Promise<Found | { readonly hint: string }> {
    return "secret" in source ? this.#stored(source.secret, to) : (found ?? NOT_READ);
  }

  async #find({ source, found }: Entry, to: Destination): Promise<Found> {
    if (!("secret" in source)) return found ?? NOT_READ;
    const stored = await this.#stored(source.secret, to);
    if ("problem" in stored) return stored;
    const value = this.#parts.seal.openValue(namedPlace(source.secret), stored.sealed);
    return { secret: new Secret(value.toString("utf8")) };
  }

  async #stored(name: string, to: Destination): Promise<NamedRow | { readonly problem: string }> {
    const row = await namedRow(this.#parts.database.query, name);
    const repair = `claviger provider set-credential --secret ${name}`;
    if (row === undefined) return { problem: `The secret ${name} is not set; set it with: ${repair}` };
    if (isFor(row, to)) return row;
    return { problem: `The secret ${name} was set for ${boundTo(row)}; set it again with: ${repair}` };
  }
}

function names(source: CredentialSource, secretName: string): boolean {
  return "secret" in source && source.secret === secretName;
}

/** Only compared, within this process: it holds what must not be seen. */
function contentOf({ to, entries }: ReadPool): string {
  const read = entries.map(({ source, found }) => [
    source,
    found !== undefined && "secret" in found ? found.secret.expose() : found,
  ]);
  return JSON.stringify([to.origin, to.proxy, read]);
}
