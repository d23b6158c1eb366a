import { createSecretKey, type KeyObject } from "node:crypto";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { Keyring } from "./keyring.ts";
import type { Stretching } from "./passphrase.ts";
import { readRecoveryKey } from "./recovery-key.ts";
import { SealedValueError } from "./sealed-value.ts";
import type { StoredSeal } from "./store.ts";
import { unwrapRoot, unwrapTerms } from "./wrapping.ts";

/** A slot that a key opened. `root` is for whoever asked to zero; `kek` is what the slot is wrapped by. */
export interface OpenedSlot {
  readonly kind: "passphrase" | "recovery";
  readonly kek: KeyObject;
  readonly root: Buffer;
}

/**
 * Opens the slot that `key` is for. AppError `key_not_initialized` when no passphrase is set, `wrong_key` when it opens
 * none, `internal` when the slot is damaged.
 */
export async function openSlot(stored: StoredSeal, key: Secret, stretching: Stretching): Promise<OpenedSlot> {
  const { passphrase, recovery } = stored;
  if (passphrase === undefined) throw new AppError("key_not_initialized");
  const recoveryKek = readRecoveryKey(key);
  if (recoveryKek !== undefined) return openRecovery(recovery, recoveryKek);
  const kek = await stretching.match(key, passphrase);
  if (kek === undefined) throw new AppError("wrong_key");
  return {
    kind: "passphrase",
    kek,
    root: unwrapRoot({ kind: "passphrase", key: kek }, passphrase.wrapped),
  };
}

/** Whether the slot is still the one that was opened. */
export function isSameSlot(kind: OpenedSlot["kind"], before: StoredSeal, now: StoredSeal): boolean {
  const [one, other] = [before[kind]?.wrapped, now[kind]?.wrapped];
  return one !== undefined && other !== undefined && Buffer.from(one).equals(other);
}

/** The keys that a root opens. */
export function keyringOf(root: Buffer, terms: StoredSeal["terms"]): Keyring {
  const unwrapped = unwrapTerms(createSecretKey(root), terms);
  try {
    return new Keyring(unwrapped);
  } finally {
    for (const { bytes } of unwrapped) bytes.fill(0);
  }
}

function openRecovery(slot: StoredSeal["recovery"], kek: KeyObject): OpenedSlot {
  if (slot === undefined) throw new AppError("wrong_key");
  try {
    return { kind: "recovery", kek, root: unwrapRoot({ kind: "recovery", key: kek }, slot.wrapped) };
  } catch (error) {
    // Made for another store, or before it was revoked and made anew; a damaged slot cannot be told from that.
    throw error instanceof SealedValueError ? new AppError("wrong_key") : error;
  }
}
