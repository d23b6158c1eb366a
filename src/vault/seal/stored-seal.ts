import type { Query } from "#platform/storage/database.ts";
import { fingerprintOf } from "./passphrase.ts";
import { readStoredSeal, setLockedByHand } from "./store.ts";

/** What can be known and done of the seal of a store that no server has open, without any key. */
export const storedSeal = {
  /** The fingerprint of its server key; undefined before one is set. */
  fingerprint: async (query: Query): Promise<string | undefined> => {
    const { passphrase } = await readStoredSeal(query);
    return passphrase && fingerprintOf(passphrase);
  },
  /** The next start stays locked until somebody unlocks it by hand. `at` in milliseconds since the Unix epoch. */
  lockByHand: (query: Query, at: number): Promise<void> => setLockedByHand(query, at),
};
