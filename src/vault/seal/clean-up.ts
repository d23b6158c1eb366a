import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import { destroyMachineKey, markPassphraseSet } from "./machine-key.ts";
import { endCleaning, readStoredSeal } from "./store.ts";

/**
 * What is left to do in a store with a passphrase after keys were exchanged: the machine key goes, and the database files
 * keep nothing of what the old keys sealed. Safe to break off and to repeat, at the next start too.
 */
export async function cleanUp(parts: {
  readonly database: Database;
  readonly secretsDir: string;
  readonly random: Random;
}): Promise<void> {
  const { database, secretsDir, random } = parts;
  await markPassphraseSet(secretsDir);
  const { cleaning } = await readStoredSeal(database.query);
  if (cleaning === 0) return;
  await destroyMachineKey(secretsDir, random);
  await database.compact();
  await endCleaning(database.query, cleaning);
}
