import type { DeclaredIdentities, Identities } from "#identity/declared/index.ts";
import type { DeclaredProvider } from "#services/gateway/index.ts";
import type { Declared } from "./declared/declared.ts";
import type { SetsInForce } from "./sets-in-force.ts";
import type { Workers } from "./workers/workers.ts";

interface Parts {
  readonly sets: SetsInForce;
  readonly identities: DeclaredIdentities;
  /** The identities as this thread judges by them. */
  readonly here: Identities;
  /** Throws StartError, with nothing changed. */
  readonly declareProviders: (list: readonly DeclaredProvider[]) => Promise<void>;
  readonly workers: Workers;
  /** Ends what runs for this principal, in every thread. */
  readonly endOf: (principal: string) => void;
}

/** What of the configuration file is in force, in every thread, its listeners left out. */
export class InForce {
  readonly #parts: Parts;
  #declared: Declared;

  constructor(declared: Declared, parts: Parts) {
    this.#declared = declared;
    this.#parts = parts;
  }

  get permissionSets(): Declared["permissionSets"] {
    return this.#declared.permissionSets;
  }

  /**
   * Puts the file's resources in the place of those before, and `listen` between: the first two steps may fail, and the
   * first is then undone; after them nothing can. Settles when every thread judges by it. Throws what a step throws.
   */
  async replace(declared: Declared, listen: () => Promise<void>): Promise<void> {
    const { sets, identities, here, declareProviders, workers, endOf } = this.#parts;
    await declareProviders(declared.providers);
    try {
      await listen();
    } catch (error) {
      await declareProviders(this.#declared.providers);
      throw error;
    }
    const { records, ended } = identities.declare(declared.identities);
    here.declare(records);
    sets.replace(declared.permissionSets);
    this.#declared = declared;
    await workers.declared({ permissionSets: declared.permissionSets, identities: records });
    for (const id of ended) endOf(id);
  }
}
