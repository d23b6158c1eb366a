import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { HeldKeys } from "./held-keys.ts";
import { countAll, countOld, type ResealReport, resealOnce, type SealedColumn } from "./reseal.ts";
import { beginCleaning, deleteTermsBelow } from "./store.ts";

interface Parts {
  readonly database: Database;
  readonly held: HeldKeys;
  readonly random: Random;
  readonly columns: readonly SealedColumn[];
}

/** Moves every stored value to the newest term, then drops the older ones. One run after another. */
export class ResealJob {
  readonly #parts: Parts;
  #progress = { running: false, done: 0, total: 0 };
  #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  progress(): { running: boolean; done: number; total: number } {
    return { ...this.#progress };
  }

  /**
   * Runs once the run before has ended; safe to repeat, and to break off anywhere. `dropped`: whether old terms were
   * dropped at its end; they stay while any value does not open. Throws AppError `server_locked` when it was locked
   * meanwhile, and the reason given to `stop`.
   */
  run(): Promise<ResealReport & { readonly dropped: boolean }> {
    const before = this.#last;
    const mine = before.catch(() => undefined).then(() => this.#run());
    this.#last = mine;
    return mine;
  }

  /** Breaks off the run under way, and settles when it has ended. */
  async stop(reason: Error): Promise<void> {
    this.#stop.abort(reason);
    await this.ended();
  }

  /** Settles when no run is under way. */
  async ended(): Promise<void> {
    await this.#last.catch(() => undefined);
  }

  async #run(): Promise<ResealReport & { readonly dropped: boolean }> {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const { database, held, random, columns } = this.#parts;
    const keyring = () => {
      signal.throwIfAborted();
      return held.keyring();
    };
    const pass = { query: database.query, columns, keyring, random };
    this.#progress = { running: true, done: 0, total: await countAll(pass) };
    const onDone = (values: number) => {
      this.#progress.done = Math.min(this.#progress.done + values, this.#progress.total);
    };
    try {
      const first = await resealOnce({ ...pass, oldOnly: false, onDone });
      let { resealed } = first;
      // What was written from an older reading meanwhile; a second look finds nothing unless something was.
      for (let more = first.resealed; more > 0 && (await countOld(pass)) > first.failed.length; ) {
        more = (await resealOnce({ ...pass, oldOnly: true, onDone: () => undefined })).resealed;
        resealed += more;
      }
      const dropped = first.failed.length === 0 && (await this.#dropOldTerms(keyring));
      return { resealed, skipped: first.skipped, failed: first.failed, dropped };
    } finally {
      this.#progress = { ...this.#progress, running: false };
    }
  }

  /** Whether there were any, and none is needed any more; both looked at in the transaction that drops them. */
  async #dropOldTerms(keyring: () => ReturnType<HeldKeys["keyring"]>): Promise<boolean> {
    const { database, held, columns } = this.#parts;
    const { writeTerm, size } = keyring();
    if (size === 1) return false;
    const dropped = await database.transaction(async (query) => {
      if ((await countOld({ query, columns, keyring })) > 0) return false;
      await deleteTermsBelow(query, writeTerm);
      await beginCleaning(query);
      return true;
    });
    if (dropped && !held.isLocked()) held.hold(held.keyring().newest());
    return dropped;
  }
}
