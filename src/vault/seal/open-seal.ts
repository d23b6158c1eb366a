import { createSecretKey, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { StartError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import { Keyring, newTerm, type UnwrappedTerm } from "./keyring.ts";
import { createMachineKey, machineKeyPath, readMachineKey } from "./machine-key.ts";
import { Seal } from "./seal.ts";
import { SealedValueError } from "./sealed-value.ts";
import { insertRoot, insertTerm, readStoredSeal, type StoredSeal } from "./store.ts";
import { unwrapRoot, unwrapTerm, wrapRoot, wrapTerm } from "./wrapping.ts";

interface SealParts {
  readonly database: Database;
  /** `${DATA_DIR}/secrets`. */
  readonly secretsDir: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The seal of this store, made if there is none yet. StartError, naming the file and the repair, when the machine
 * key is missing or does not fit, or when the wrapped keys are damaged.
 */
export async function openSeal(parts: SealParts): Promise<Seal> {
  const stored = await readStoredSeal(parts.database.query);
  const fresh = stored.root === undefined && stored.terms.length === 0;
  const keyring = fresh ? await createKeyring(parts) : await unwrapKeyring(stored, parts.secretsDir);
  return new Seal({ status: "uninitialized", keyring }, parts.random);
}

/**
 * The file comes first and is on disk before the rows are: a crash in between leaves a file that wraps nothing yet,
 * and the next start takes it. The other order could leave rows that nothing opens.
 */
async function createKeyring({ database, secretsDir, clock, random }: SealParts): Promise<Keyring> {
  const machineKey = (await readMachineKey(secretsDir)) ?? (await createMachineKey(secretsDir, random));
  const root = random.bytes(AEAD_KEY_BYTES);
  const first = newTerm(1, random);
  try {
    const wrappedRoot = wrapRoot(machineKey, root, random);
    const wrappedTerm = wrapTerm(createSecretKey(root), first, random);
    await database.transaction(async (query) => {
      await insertRoot(query, wrappedRoot);
      await insertTerm(query, { term: first.term, wrapped: wrappedTerm, createdAt: clock.now() });
    });
    return new Keyring([first]);
  } finally {
    root.fill(0);
    first.bytes.fill(0);
  }
}

async function unwrapKeyring(stored: StoredSeal, secretsDir: string): Promise<Keyring> {
  const { root: storedRoot, terms } = stored;
  if (storedRoot === undefined || terms.length === 0) throw damagedStore();
  const path = machineKeyPath(secretsDir);
  const machineKey = await readMachineKey(secretsDir);
  if (machineKey === undefined) {
    throw new StartError(
      `${path} is missing, and the stored secrets open only with it. Put it back from a backup of the data directory, with mode 0400.`,
    );
  }
  const root = orStartError(
    () => unwrapRoot(machineKey, storedRoot.wrapped),
    new StartError(
      `${path} does not fit this database. Put back the machine.key and the database of the same backup of the data directory.`,
    ),
  );
  try {
    return unwrapTerms(createSecretKey(root), terms);
  } finally {
    root.fill(0);
  }
}

function unwrapTerms(rootKey: KeyObject, stored: StoredSeal["terms"]): Keyring {
  const terms: UnwrappedTerm[] = [];
  try {
    for (const row of stored) terms.push(orStartError(() => unwrapTerm(rootKey, row), damagedStore()));
    return new Keyring(terms);
  } finally {
    for (const { bytes } of terms) bytes.fill(0);
  }
}

function orStartError<T>(unwrap: () => T, problem: StartError): T {
  try {
    return unwrap();
  } catch (error) {
    throw error instanceof SealedValueError ? problem : error;
  }
}

function damagedStore(): StartError {
  return new StartError(
    "The keys in the database (tables seal_root and seal_term) are damaged. Put the data directory back from a backup.",
  );
}
