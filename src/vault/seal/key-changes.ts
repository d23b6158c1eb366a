import type { KeyObject } from "node:crypto";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Query } from "#platform/storage/database.ts";
import { doneBy, inTurn, type KeyParts } from "./key-parts.ts";
import { installRoot } from "./new-root.ts";
import { openSlot } from "./opening.ts";
import { isSamePassphrase, type PassphraseFacts, requirePassphrase } from "./passphrase.ts";
import { isRecoveryKey, newRecoveryKey } from "./recovery-key.ts";
import { renewHere } from "./renewing.ts";
import { type FailedValue, type ResealReport, resealOnce, type SealedColumn } from "./reseal.ts";
import type { ResealJob } from "./reseal-job.ts";
import { beginCleaning, deleteSlot, deleteTermsBelow, readStoredSeal } from "./store.ts";

type Lock = PassphraseFacts & { readonly kek: KeyObject };

interface Parts extends KeyParts {
  readonly columns: readonly SealedColumn[];
  readonly job: ResealJob;
  /** Begins to clean up behind a change. */
  readonly cleanUp: () => void;
}

const LOST_RECOVERY: FailedValue = { table: "seal_slot", id: "recovery" };

/** The changes of the keys, one at a time: what comes while one runs is refused. */
export class KeyChanges {
  readonly #parts: Parts;
  #busy = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** See `ServerKey.initialize`. */
  async initialize(
    key: Secret,
    { recovery, by }: { recovery: boolean; by: ChangeAuthor },
  ): Promise<{ recoveryKey: Secret | undefined; report: ResealReport }> {
    const { held, stretching, turn, cleanUp } = this.#parts;
    if (held.status().initialized) throw new AppError("key_initialized");
    requireNewKey(key);
    return this.#alone(async () => {
      const lock = await stretching.begin(key, this.#parts);
      const made = recovery ? newRecoveryKey(this.#parts.random) : undefined;
      const report = await inTurn(turn, () => this.#enable(lock, made?.wrappingKey, by));
      cleanUp();
      return { recoveryKey: made?.text, report };
    });
  }

  /** See `ServerKey.rotate`. */
  async rotate(
    { current, next }: { readonly current: Secret; readonly next: Secret },
    by: ChangeAuthor,
  ): Promise<ResealReport> {
    const { held, database, stretching } = this.#parts;
    if (!held.status().initialized) throw new AppError("key_not_initialized");
    if (held.isLocked()) throw new AppError("server_locked");
    const repair = isSamePassphrase(current, next);
    if (!repair || !isRecoveryKey(next)) requireNewKey(next);
    return this.#alone(async () => {
      const { root } = await openSlot(await readStoredSeal(database.query), current, stretching);
      root.fill(0);
      const lost = repair ? await this.#recordRepair(by) : await this.#exchange(next, by);
      return this.#reseal(lost);
    });
  }

  /** See `ServerKey.revokeRecovery`. */
  async revokeRecovery(by: ChangeAuthor): Promise<void> {
    const { held, database, audit, turn, cleanUp } = this.#parts;
    if (!held.status().initialized) throw new AppError("key_not_initialized");
    if (held.isLocked()) throw new AppError("server_locked");
    await this.#alone(async () => {
      await inTurn(turn, () =>
        database.transaction(async (query) => {
          await deleteSlot(query, "recovery");
          await beginCleaning(query);
          await audit.append(query, doneBy("key.recovery.revoke", by));
        }),
      );
      cleanUp();
    });
  }

  /** The first passphrase, in the place of the machine key. */
  async #enable(lock: Lock, recovery: KeyObject | undefined, by: ChangeAuthor): Promise<ResealReport> {
    const { database, clock, random, audit, held, slot, columns } = this.#parts;
    const enable = async (query: Query) => {
      const root = { random, now: clock.now(), lock, keyring: held.keyring(), recovery };
      const { keyring } = await installRoot(query, root);
      await deleteSlot(query, "machine");
      const renew = renewHere(() => keyring, random);
      const pass = { query, columns, keyring: () => keyring, renew, oldOnly: false, onDone: () => {} };
      // Without rests: every other writer waits for this transaction.
      const report = await resealOnce({ ...pass, restShare: 0 });
      // The terms of what does not open are kept: it may be put back from a backup, and then it opens.
      if (report.failed.length === 0) await deleteTermsBelow(query, keyring.writeTerm);
      await beginCleaning(query);
      await audit.append(query, doneBy("key.initialize", by));
      if (held.isLocked()) throw new AppError("shutting_down");
      return { report, keyring: report.failed.length === 0 ? keyring.newest() : keyring };
    };
    const { report, keyring } = await database.transaction(enable);
    slot.facts = factsOf(lock);
    if (!held.isLocked()) held.hold(keyring);
    return report;
  }

  /** Another passphrase, in the place of the present one. Gives the recovery slot if that was lost. */
  async #exchange(next: Secret, by: ChangeAuthor): Promise<readonly FailedValue[]> {
    const { database, clock, random, audit, held, slot, turn, stretching, job } = this.#parts;
    const lock = await stretching.begin(next, this.#parts);
    // One that goes on from an earlier start is of no use any more: this change's own does its work.
    await job.stop(new AppError("seal_busy"));
    const exchange = async (query: Query) => {
      const { recovery } = await readStoredSeal(query);
      const root = { random, now: clock.now(), lock, keyring: held.keyring(), recovery };
      const installed = await installRoot(query, root);
      await beginCleaning(query);
      await audit.append(query, doneBy("key.rotate", by));
      return installed;
    };
    return inTurn(turn, async () => {
      const { keyring, lostRecovery } = await database.transaction(exchange);
      slot.facts = factsOf(lock);
      if (!held.isLocked()) held.hold(keyring);
      return lostRecovery ? [LOST_RECOVERY] : [];
    });
  }

  async #recordRepair(by: ChangeAuthor): Promise<readonly FailedValue[]> {
    const { database, audit, job } = this.#parts;
    await database.transaction((query) => audit.append(query, doneBy("key.rotate", by)));
    await job.stop(new AppError("seal_busy"));
    return [];
  }

  async #reseal(lost: readonly FailedValue[]): Promise<ResealReport> {
    try {
      const { resealed, skipped, failed } = await this.#parts.job.run();
      return { resealed, skipped, failed: [...lost, ...failed] };
    } catch (error) {
      throw unfinished(error);
    } finally {
      this.#parts.cleanUp();
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new AppError("seal_busy");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

/** The exchange stands whatever became of the rest, so no error may say that nothing was changed. */
function unfinished(cause: unknown): AppError {
  const code = cause instanceof AppError ? cause.code : undefined;
  if (code === "server_locked")
    return new AppError(
      code,
      "The new key holds, but the server was locked before all secrets were sealed anew; the rest is done when it is unlocked.",
    );
  if (code === "storage_full")
    return new AppError(
      code,
      "The new key holds, but the disk was full before all secrets were sealed anew; make room, then rotate with equal keys.",
      { cause },
    );
  return new AppError(
    "reseal_unfinished",
    "The new key holds, and the old one is refused; but not all secrets were sealed anew. The rest is done by rotating with the new key as the current and as the new one, or at the next unlock.",
    { cause },
  );
}

/** Without what opens the slot: that is not to outlive the change. */
function factsOf({ salt, cost, verifier }: Lock): PassphraseFacts {
  return { salt, cost, verifier };
}

function requireNewKey(key: Secret): void {
  requirePassphrase(key);
  if (isRecoveryKey(key))
    throw new AppError("bad_request", "A server key must not begin as recovery keys do: claviger-recovery-");
}
