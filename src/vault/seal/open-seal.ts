import { createSecretKey } from "node:crypto";
import type { AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AEAD_KEY_BYTES } from "#platform/lib/aead.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import { newRequestId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import { HeldKeys, type SealState } from "./held-keys.ts";
import { doneBy } from "./key-parts.ts";
import { Keyring, newTerm } from "./keyring.ts";
import { createMachineKey, machineKeyPath, readMachineKey } from "./machine-key.ts";
import { OpenedSeal } from "./opened-seal.ts";
import { keyringOf } from "./opening.ts";
import { Stretching, USUAL_COST } from "./passphrase.ts";
import type { SealedColumn } from "./reseal.ts";
import type { Seal } from "./seal.ts";
import { SealedValueError } from "./sealed-value.ts";
import { insertMachineSlot, insertTerm, readStoredSeal, type StoredSeal } from "./store.ts";
import { unwrapRoot, wrapRoot, wrapTerm } from "./wrapping.ts";

interface SealParts {
  readonly database: Database;
  /** `${DATA_DIR}/secrets`. */
  readonly secretsDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Every column that holds sealed values; one that is missing here is lost with the next rotation. */
  readonly sealed: readonly SealedColumn[];
  readonly audit: Pick<AuditRecorder, "append">;
  readonly log: Pick<Log, "error" | "warn">;
  /** Of new passphrases, and of present ones that were cheaper; 64 MiB, 3 passes, 1 lane unless given. */
  readonly cost?: Argon2Parameters | undefined;
  /** Opens the server as it starts, unless an operator has locked it; one that is wrong is logged. */
  readonly autoUnlock?: Secret | undefined;
}

/**
 * The seal of this store, made if there is none yet; locked where a passphrase was set. StartError, naming the file and
 * the repair, when the machine key is missing or does not fit, or when the wrapped keys are damaged.
 */
export async function openSeal(parts: SealParts): Promise<Seal> {
  const stored = await readStoredSeal(parts.database.query);
  const held = new HeldKeys(await firstState(parts, stored), parts.random);
  const seal = new OpenedSeal({
    ...parts,
    held,
    columns: parts.sealed,
    cost: parts.cost ?? USUAL_COST,
    stretching: new Stretching(),
    turn: new Turn(),
    slot: { facts: stored.passphrase },
  });
  if (stored.passphrase === undefined) return seal;
  seal.cleanUp();
  if (parts.autoUnlock !== undefined && !stored.lockedByHand)
    await unlockAtStart(parts, seal, parts.autoUnlock);
  return seal;
}

async function firstState(parts: SealParts, stored: StoredSeal): Promise<SealState> {
  const { passphrase, machine, terms } = stored;
  if (passphrase !== undefined && terms.length > 0) return { status: "locked", initialized: true };
  if (machine !== undefined && terms.length > 0)
    return { status: "uninitialized", keyring: await openWithMachineKey(machine, terms, parts.secretsDir) };
  if (passphrase !== undefined || machine !== undefined || terms.length > 0) throw damagedStore();
  return { status: "uninitialized", keyring: await createKeyring(parts) };
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
    const wrappedRoot = wrapRoot({ kind: "machine", key: machineKey }, root, random);
    const wrappedTerm = wrapTerm(createSecretKey(root), first, random);
    await database.transaction(async (query) => {
      await insertMachineSlot(query, wrappedRoot, clock.now());
      await insertTerm(query, { term: first.term, wrapped: wrappedTerm, createdAt: clock.now() });
    });
    return new Keyring([first]);
  } finally {
    root.fill(0);
    first.bytes.fill(0);
  }
}

async function openWithMachineKey(
  slot: { readonly wrapped: Uint8Array },
  terms: StoredSeal["terms"],
  secretsDir: string,
): Promise<Keyring> {
  const path = machineKeyPath(secretsDir);
  const machineKey = await readMachineKey(secretsDir);
  if (machineKey === undefined) {
    throw new StartError(
      `${path} is missing, and the stored secrets open only with it. Put it back from a backup of the data directory, with mode 0400.`,
    );
  }
  const root = orStartError(
    () => unwrapRoot({ kind: "machine", key: machineKey }, slot.wrapped),
    new StartError(
      `${path} does not fit this database. Put back the machine.key and the database of the same backup of the data directory.`,
    ),
  );
  try {
    return orStartError(() => keyringOf(root, terms), damagedStore());
  } finally {
    root.fill(0);
  }
}

async function unlockAtStart(
  { database, audit, log, clock, random }: SealParts,
  seal: Seal,
  key: Secret,
): Promise<void> {
  const by: ChangeAuthor = {
    principal: { kind: "local" },
    address: null,
    requestId: newRequestId(clock.now(), random),
  };
  try {
    await seal.unlock(key, by);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "";
    log.error({ detail }, "the server stays locked: the key it was to open itself with did not open it");
    const outcome = error instanceof AppError && error.code === "wrong_key" ? "denied" : "failure";
    const entry = { ...doneBy("key.unlock", by), outcome } as const;
    await database
      .transaction((query) => audit.append(query, entry))
      .catch(() => log.error({ detail }, "that could not be written into the audit"));
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
    "The keys in the database (tables seal_slot and seal_term) are damaged. Put the data directory back from a backup.",
  );
}
