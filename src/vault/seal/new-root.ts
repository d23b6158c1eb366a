import { createSecretKey, type KeyObject } from "node:crypto";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Query } from "#platform/storage/database.ts";
import { Keyring, newTerm } from "./keyring.ts";
import type { PassphraseFacts } from "./passphrase.ts";
import { SealedValueError } from "./sealed-value.ts";
import {
  deleteSlot,
  insertTerm,
  putPassphraseSlot,
  putRecoverySlot,
  type RecoverySlot,
  rewrapTerm,
} from "./store.ts";
import { WRAPPING_KEY_PLACE, wrapRoot, wrapTerm } from "./wrapping.ts";

interface NewRoot {
  readonly random: Random;
  readonly now: number;
  /** What the new passphrase gives. */
  readonly lock: PassphraseFacts & { readonly kek: KeyObject };
  /** All terms of the store. It is left as it is. */
  readonly keyring: Keyring;
  /** What is to wrap the root for a recovery key: that of a new one, or the slot of the present one. */
  readonly recovery: KeyObject | RecoverySlot | undefined;
}

/**
 * Within the caller's transaction: a new root under a new passphrase, a new term to write under, and the older terms
 * wrapped by the new root, so that what they sealed still opens. `lostRecovery`: the recovery key's slot was damaged and
 * is gone.
 */
export async function installRoot(
  query: Query,
  parts: NewRoot,
): Promise<{ keyring: Keyring; lostRecovery: boolean }> {
  const { random, now, lock } = parts;
  const root = random.bytes(AEAD_KEY_BYTES);
  const older = parts.keyring.unwrapped();
  const term = newTerm(parts.keyring.writeTerm + 1, random);
  try {
    const rootKey = createSecretKey(root);
    for (const old of older)
      await rewrapTerm(query, { term: old.term, wrapped: wrapTerm(rootKey, old, random) });
    const wrapped = wrapTerm(rootKey, term, random);
    await insertTerm(query, { term: term.term, wrapped, createdAt: now });
    const keyring = new Keyring([term], parts.keyring.keys);
    const slot = { kind: "passphrase", key: lock.kek } as const;
    await putPassphraseSlot(query, { ...lock, wrapped: wrapRoot(slot, root, random) }, now);
    return { keyring, lostRecovery: !(await installRecovery(query, { ...parts, root, keyring })) };
  } finally {
    for (const { bytes } of [...older, term]) bytes.fill(0);
    root.fill(0);
  }
}

/** Wraps the root for the recovery key, if there is one. False when what would wrap it does not open. */
async function installRecovery(
  query: Query,
  parts: NewRoot & { root: Buffer; keyring: Keyring },
): Promise<boolean> {
  const { recovery, keyring, random, root, now } = parts;
  if (recovery === undefined) return true;
  const bytes = "wrappingKey" in recovery ? openWrappingKey(keyring, recovery) : recovery.export();
  if (bytes === undefined) {
    // It could open nothing any more: better none than one that is trusted in vain.
    await deleteSlot(query, "recovery");
    return false;
  }
  try {
    const wrapped = wrapRoot({ kind: "recovery", key: createSecretKey(bytes) }, root, random);
    const wrappingKey = keyring.seal(WRAPPING_KEY_PLACE, bytes, random);
    await putRecoverySlot(query, { wrapped, wrappingKey }, now);
    return true;
  } finally {
    bytes.fill(0);
  }
}

function openWrappingKey(keyring: Keyring, { wrappingKey }: RecoverySlot): Buffer | undefined {
  try {
    return keyring.open(WRAPPING_KEY_PLACE, wrappingKey);
  } catch (error) {
    if (error instanceof SealedValueError) return undefined;
    throw error;
  }
}
