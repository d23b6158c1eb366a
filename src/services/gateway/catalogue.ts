import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { factsOf } from "./providers/kind.ts";
import type { Provider } from "./providers/providers.ts";
import type { UsageDialect } from "./usage/token-usage.ts";

export interface ModelEntry {
  /** The name clients use: `provider/model`, or bare where a list offers that too. */
  readonly id: string;
  readonly provider: string;
  /** The model as the upstream calls it. */
  readonly model: string;
  /** What the provider speaks. */
  readonly dialect: UsageDialect;
  readonly createdAt: number;
}

export interface RouteTarget {
  readonly provider: Provider;
  /** The model as the upstream calls it. */
  readonly model: string;
  /** `provider/model`. */
  readonly name: string;
}

interface Known {
  readonly ids: ReadonlySet<string>;
  readonly fetchedAt: number;
}

interface Parts {
  readonly clock: Clock;
  readonly ordered: () => readonly Provider[];
  readonly fetchModels: (provider: Provider) => Promise<readonly string[]>;
}

const FRESH_MS = 15_000;
const RETRY_MS = 5_000;
/** How long a request waits for slow model lists; it goes on with what is known then. */
const WAIT_MS = 5_000;

/**
 * Which models the providers serve, from their own lists: asked in the background when a provider changes, and when
 * a list is asked for or a bare name is not known, at most every 15 s (5 s after a failure) a provider.
 */
export class Catalogue {
  readonly #parts: Parts;
  readonly #known = new Map<string, Known>();
  readonly #triedAt = new Map<string, number>();
  /** Under way, by provider; an entry that was displaced by a newer one is not taken over. */
  readonly #asking = new Map<string, Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A provider was made, changed or removed: what was known of it is dropped, and its list is asked for now. */
  changed(providerId: string): void {
    this.#known.delete(providerId);
    this.#triedAt.delete(providerId);
    this.#asking.delete(providerId);
    const provider = this.#parts.ordered().find(({ id }) => id === providerId);
    if (provider !== undefined) this.#ask(provider).catch(() => undefined);
  }

  /** What could not be asked while the server was locked can be now: no list waits for its next turn. */
  unlocked(): void {
    this.#triedAt.clear();
  }

  /** Asks for every list that is not fresh, and waits for them, at most `waitMs`. Never rejects. */
  async refresh(waitMs: number = WAIT_MS): Promise<void> {
    const asked = this.#parts
      .ordered()
      .filter((provider) => this.#asking.has(provider.id) || this.#isDue(provider.id))
      .map((provider) => this.#ask(provider));
    if (asked.length === 0) return;
    const { promise: deadline, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    await Promise.race([Promise.allSettled(asked), deadline]);
    clearTimeout(timer);
  }

  list(): ModelEntry[] {
    return this.#parts.ordered().flatMap((provider) =>
      [...(this.#known.get(provider.id)?.ids ?? [])].map((id) => ({
        id: `${provider.name}/${id}`,
        provider: provider.name,
        model: id,
        dialect: factsOf(provider.kind).dialect,
        createdAt: provider.createdAt,
      })),
    );
  }

  /**
   * `provider/model` names the provider and is not looked up. A bare model goes to the first provider that lists it and
   * speaks `dialect`, else to the first that lists it; with one provider only, whose list could not be had, to that
   * one. Undefined when nobody is known to serve it.
   */
  resolve(name: string, dialect: UsageDialect): RouteTarget | undefined {
    const providers = this.#parts.ordered();
    const slash = name.indexOf("/");
    const named = slash > 0 ? providerNamed(providers, name.slice(0, slash)) : undefined;
    if (named !== undefined) return { provider: named, model: name.slice(slash + 1), name };
    const knowingAll = providers.filter((provider) => this.#known.get(provider.id)?.ids.has(name));
    const knowing = knowingAll.find(({ kind }) => factsOf(kind).dialect === dialect) ?? knowingAll[0];
    if (knowing !== undefined) return targetAt(knowing, name);
    const [only] = providers;
    if (only === undefined || providers.length > 1 || this.#known.has(only.id)) return undefined;
    return targetAt(only, name);
  }

  /** Like `resolve`; a bare name that is not known is waited for, at most 5 s, and only then a promise is given. */
  find(name: string, dialect: UsageDialect): RouteTarget | undefined | Promise<RouteTarget | undefined> {
    const providers = this.#parts.ordered();
    const target = this.resolve(name, dialect);
    const isKnown = target !== undefined && (target.model !== name || this.lists(target));
    if (isKnown || providers.length === 0) return target;
    return this.refresh().then(() => this.resolve(name, dialect));
  }

  /** Whether the provider's own list names the model. */
  lists(target: RouteTarget): boolean {
    return this.#known.get(target.provider.id)?.ids.has(target.model) === true;
  }

  /** The models the provider lists, asked for when what is known is not fresh. Throws what asking for them throws. */
  async modelsOf(providerId: string): Promise<readonly string[]> {
    const provider = this.#parts.ordered().find(({ id }) => id === providerId);
    const known = this.#known.get(providerId);
    if (provider === undefined) throw new AppError("not_found");
    if (known !== undefined && this.#parts.clock.now() - known.fetchedAt <= FRESH_MS) return [...known.ids];
    await this.#ask(provider);
    return [...(this.#known.get(providerId)?.ids ?? [])];
  }

  #isDue(providerId: string): boolean {
    const now = this.#parts.clock.now();
    const fetchedAt = this.#known.get(providerId)?.fetchedAt;
    if (fetchedAt !== undefined && now - fetchedAt <= FRESH_MS) return false;
    const triedAt = this.#triedAt.get(providerId);
    return triedAt === undefined || now - triedAt > RETRY_MS;
  }

  #ask(provider: Provider): Promise<void> {
    const underWay = this.#asking.get(provider.id);
    if (underWay !== undefined) return underWay;
    this.#triedAt.set(provider.id, this.#parts.clock.now());
    const asking = this.#fetch(provider).finally(() => {
      if (this.#asking.get(provider.id) === asking) this.#asking.delete(provider.id);
    });
    this.#asking.set(provider.id, asking);
    return asking;
  }

  async #fetch(provider: Provider): Promise<void> {
    const ids = new Set(await this.#parts.fetchModels(provider));
    // The provider may have changed meanwhile; then another list is asked for already.
    if (!this.#parts.ordered().includes(provider)) return;
    this.#known.set(provider.id, { ids, fetchedAt: this.#parts.clock.now() });
  }
}

function targetAt(provider: Provider, model: string): RouteTarget {
  return { provider, model, name: `${provider.name}/${model}` };
}

function providerNamed(providers: readonly Provider[], name: string): Provider | undefined {
  for (const provider of providers) if (provider.name === name) return provider;
  return undefined;
}
