import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log } from "#platform/log/log.ts";
import { cleanUp } from "./clean-up.ts";
import { KeyChanges } from "./key-changes.ts";
import type { KeyParts } from "./key-parts.ts";
import { fingerprintOf } from "./passphrase.ts";
import type { ResealReport, SealedColumn } from "./reseal.ts";
import { ResealJob } from "./reseal-job.ts";
import type { Seal } from "./seal.ts";
import type { Place, SealedValue } from "./sealed-value.ts";
import { Unlocking } from "./unlocking.ts";

interface Parts extends KeyParts {
  readonly secretsDir: string;
  readonly columns: readonly SealedColumn[];
  readonly log: Pick<Log, "error" | "warn">;
}

/** The seal of a store, with all that goes on behind it. */
export class OpenedSeal implements Seal {
  readonly #parts: Parts;
  readonly #job: ResealJob;
  readonly #changes: KeyChanges;
  readonly #unlocking: Unlocking;
  readonly #unlockListeners = new Set<() => void | Promise<void>>();
  #behind: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#job = new ResealJob(parts);
    this.#changes = new KeyChanges({ ...parts, job: this.#job, cleanUp: () => this.cleanUp() });
    this.#unlocking = new Unlocking(parts);
  }

  status = () => this.#parts.held.status();
  isLocked = () => this.#parts.held.isLocked();
  resealProgress = () => this.#job.progress();

  fingerprint(): string | undefined {
    const { facts } = this.#parts.slot;
    return facts && fingerprintOf(facts);
  }

  async initialize(key: Secret, options: { readonly recovery: boolean; readonly by: ChangeAuthor }) {
    const made = await this.#changes.initialize(key, options);
    this.#tellFailed(made.report);
    return made;
  }

  async rotate(keys: { readonly current: Secret; readonly next: Secret }, by: ChangeAuthor) {
    try {
      const report = await this.#changes.rotate(keys, by);
      this.#tellFailed(report);
      return report;
    } catch (error) {
      if (error instanceof AppError && error.code === "reseal_unfinished")
        this.#logFailure(UNFINISHED, error.cause);
      throw error;
    }
  }

  async unlock(key: Secret, by: ChangeAuthor): Promise<void> {
    const opened = await this.#unlocking.unlock(key, by);
    if (!opened) return;
    this.#resume();
    this.cleanUp();
    for (const listener of this.#unlockListeners) {
      try {
        await listener();
      } catch (error) {
        this.#logFailure("what was to be done after the server was unlocked failed", error);
      }
    }
  }

  async lock(by: ChangeAuthor): Promise<void> {
    try {
      await this.#unlocking.lock(by);
    } catch (error) {
      if (error instanceof AppError && error.code === "key_not_initialized") throw error;
      this.#logFailure("the server is locked, but not everything that belongs to it was done", error);
    }
  }

  revokeRecovery = (by: ChangeAuthor): Promise<void> => this.#changes.revokeRecovery(by);
  onLock = (listener: () => void): (() => void) => this.#parts.held.onLock(listener);

  onUnlock(listener: () => void | Promise<void>): () => void {
    this.#unlockListeners.add(listener);
    return () => {
      this.#unlockListeners.delete(listener);
    };
  }

  sealValue(place: Place, plaintext: Secret | Uint8Array): SealedValue {
    return this.#parts.held.sealValue(place, plaintext);
  }

  openValue(place: Place, bytes: Uint8Array): Buffer {
    return this.#parts.held.openValue(place, bytes);
  }

  flush(): Promise<void> {
    return this.#unlocking.flush();
  }

  async settled(): Promise<void> {
    for (let last = this.#behind; ; last = this.#behind) {
      await last;
      await this.#job.ended();
      if (last === this.#behind) return;
    }
  }

  async close(): Promise<void> {
    this.#unlocking.close();
    this.#parts.held.drop();
    await this.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Goes on, behind, with values that an earlier change has left under older terms. */
  #resume(): void {
    const { held } = this.#parts;
    if (held.isLocked() || held.keyring().size === 1) return;
    this.#later(UNFINISHED, async () => {
      this.#tellFailed(await this.#job.run());
    });
  }

  /** Cleans up, behind, after a change; does nothing when nothing is left to do. */
  cleanUp(): void {
    this.#later("the files were not cleaned of what old keys sealed", () => cleanUp(this.#parts));
  }

  /** What fails here is done at the next unlock or start; what was broken off is not worth a word. */
  #later(failure: string, work: () => Promise<void>): void {
    this.#behind = this.#behind.then(work).catch((error: unknown) => {
      if (!(error instanceof AppError && BROKEN_OFF.has(error.code))) this.#logFailure(failure, error);
    });
  }

  #tellFailed({ failed }: ResealReport): void {
    if (failed.length === 0) return;
    const places = failed.slice(0, MOST_NAMED).map(({ table, id }) => `${table} ${id}`);
    this.#parts.log.error(
      { rows: failed.length, detail: places.join(", ") },
      "stored secrets do not open; they were left as they are, and the keys of older terms are kept for them",
    );
  }

  #logFailure(text: string, error: unknown): void {
    const errors = error instanceof AggregateError ? error.errors : [error];
    const detail = errors.map((one: unknown) => (one instanceof Error ? one.message : "")).join("; ");
    this.#parts.log.error({ detail }, text);
  }
}

const UNFINISHED = "stored secrets were not all sealed anew";
const MOST_NAMED = 20;
const BROKEN_OFF: ReadonlySet<string> = new Set(["server_locked", "seal_busy", "shutting_down"]);
