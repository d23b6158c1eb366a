import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Provider } from "./providers/providers.ts";

export interface ModelEntry {
  /** The name clients use: `provider/model`. */
  readonly id: string;
  readonly provider: string;
  readonly createdAt: number;
}

export interface RouteTarget {
  readonly provider: Provider;
  /** The model as the upstream calls it. */
  readonly model: string;
  /** `provider/model` when the catalogue lists it, else `unknown`: the only text that is ever logged. */
  readonly logged: string;
}

/** Which models the providers serve, from their own model lists; refreshed when asked and at most every 15 s. */
export class Catalogue {
  readonly #models = new Map<string, { ids: ReadonlySet<string>; fetchedAt: number }>();
  readonly #parts: {
    clock: Clock;
    ordered: () => readonly Provider[];
    fetchModels: (provider: Provider) => Promise<readonly string[]>;
  };
  #refresh: Promise<void> | undefined;

  constructor(parts: {
    clock: Clock;
    ordered: () => readonly Provider[];
    fetchModels: (provider: Provider) => Promise<readonly string[]>;
  }) {
    this.#parts = parts;
  }

  /** Asks every provider whose list is older than 15 s; one that fails keeps what it had. */
  refresh(): Promise<void> {
    this.#refresh ??= this.#fetchStale().finally(() => {
      this.#refresh = undefined;
    });
    return this.#refresh;
  }

  /** Drops what is known, after a provider changed. */
  forget(): void {
    this.#models.clear();
  }

  list(): ModelEntry[] {
    return this.#parts.ordered().flatMap((provider) =>
      [...(this.#models.get(provider.id)?.ids ?? [])].map((id) => ({
        id: `${provider.name}/${id}`,
        provider: provider.name,
        createdAt: provider.createdAt,
      })),
    );
  }

  /**
   * `provider/model` names the provider; a bare model goes to the first provider that lists it, or to the only one there is.
   * Throws AppError `model_not_found`.
   */
  resolve(name: string): RouteTarget {
    const providers = this.#parts.ordered();
    const slash = name.indexOf("/");
    const named =
      slash > 0 ? providers.find((provider) => provider.name === name.slice(0, slash)) : undefined;
    if (named !== undefined) return this.#target(named, name.slice(slash + 1));
    const knowing = providers.find((provider) => this.#models.get(provider.id)?.ids.has(name));
    const chosen = knowing ?? (providers.length === 1 ? providers[0] : undefined);
    if (chosen === undefined) throw new AppError("model_not_found");
    return this.#target(chosen, name);
  }

  #target(provider: Provider, model: string): RouteTarget {
    const listed = this.#models.get(provider.id)?.ids.has(model) === true;
    return { provider, model, logged: listed ? `${provider.name}/${model}` : "unknown" };
  }

  async #fetchStale(): Promise<void> {
    const now = this.#parts.clock.now();
    const stale = this.#parts
      .ordered()
      .filter((provider) => now - (this.#models.get(provider.id)?.fetchedAt ?? 0) > 15_000);
    await Promise.allSettled(
      stale.map(async (provider) => {
        this.#models.set(provider.id, {
          ids: new Set(await this.#parts.fetchModels(provider)),
          fetchedAt: now,
        });
      }),
    );
  }
}
