import type { Query } from "#platform/storage/database.ts";
import { fingerprintOf } from "./passphrase.ts";
import { termNamedBy } from "./sealed-value.ts";
import { readStoredSeal, setLockedByHand, termMadeAt } from "./store.ts";

/** Which key a value says it is sealed under: its number, and when the store made it; undefined where it has none such. */
interface SealingTerm {
  readonly term: number;
  /** In milliseconds since the Unix epoch. */
  readonly madeAt: number | undefined;
}

/** What can be known and done of the seal of a store that no server has open, without any key. */
export const storedSeal = {
  /** The fingerprint of its server key; undefined before one is set. */
  fingerprint: async (query: Query): Promise<string | undefined> => {
    const { passphrase } = await readStoredSeal(query);
    return passphrase && fingerprintOf(passphrase);
  },
  /**
   * Under which of its terms the store could open a value. The same number and moment in two stores is the same key: a
   * store that went another way from a backup on gives a number out anew. Undefined for what is no sealed value.
   */
  termOf: async (query: Query, bytes: Uint8Array): Promise<SealingTerm | undefined> => {
    const term = termNamedBy(bytes);
    return term === undefined ? undefined : { term, madeAt: await termMadeAt(query, term) };
  },
  /** The next start stays locked until somebody unlocks it by hand. `at` in milliseconds since the Unix epoch. */
  lockByHand: (query: Query, at: number): Promise<void> => setLockedByHand(query, at),
};
