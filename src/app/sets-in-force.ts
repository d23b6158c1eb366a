import { type PermissionSets, permissionSets, rightsOf } from "#gates/access/index.ts";
import type { Caller } from "#platform/http/ports.ts";

type Declared = Parameters<typeof permissionSets>[0];
type Rights = ReturnType<typeof rightsOf>;

/** The permission sets of this thread, as the configuration file has them now, and what each caller holds by them. */
export class SetsInForce {
  readonly #sets: Map<string, Rights[number]> = new Map();
  /** Who holds the same grant has the same list of sets in memory, so that his rights are put together once. */
  #held = new WeakMap<readonly string[], Rights>();

  constructor(declared: Declared) {
    this.replace(declared);
  }

  /** Always the same map, its content what is in force. */
  get sets(): PermissionSets {
    return this.#sets;
  }

  /** The built-in sets and these are in force from now on. */
  replace(declared: Declared): void {
    const { sets } = permissionSets(declared);
    this.#sets.clear();
    for (const [name, set] of sets) this.#sets.set(name, set);
    this.#held = new WeakMap();
  }

  rightsOf(caller: Caller): Rights {
    if (caller.kind === "local" || caller.kind === "node" || caller.permissionSets === undefined)
      return rightsOf(caller, this.#sets);
    const before = this.#held.get(caller.permissionSets);
    if (before !== undefined) return before;
    const rights = rightsOf(caller, this.#sets);
    this.#held.set(caller.permissionSets, rights);
    return rights;
  }
}
