import { AppError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { HeldKeys } from "./held-keys.ts";
import type { Keyring } from "./keyring.ts";
import { type Renew, renewHere } from "./renewing.ts";
import { countAll, countOld, type ResealReport, resealOnce, type SealedColumn } from "./reseal.ts";
import { SealingWorker } from "./sealing-worker.ts";
import { beginCleaning, deleteTermsBelow } from "./store.ts";

interface Parts {
  readonly database: Database;
  readonly held: HeldKeys;
  readonly random: Random;
  readonly columns: readonly SealedColumn[];
  /** What the thread runs, and how many values are worth one; as the constants say unless given. */
  readonly program?: URL;
  readonly inThreadFrom?: number;
}

/** Clients are served meanwhile: for as long as a page took, the store and all threads are theirs alone. */
const REST_SHARE = 1;

/** To start a thread costs as much as some hundred values do. */
const IN_THREAD_FROM = 1_000;

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
    const { database, held, columns } = this.#parts;
    const keyring = () => {
      signal.throwIfAborted();
      return held.keyring();
    };
    this.#progress = { running: true, done: 0, total: await countAll({ query: database.query, columns }) };
    try {
      const report = await this.#reseal(keyring, signal);
      return { ...report, dropped: report.failed.length === 0 && (await this.#dropOldTerms(keyring)) };
    } finally {
      this.#progress = { ...this.#progress, running: false };
    }
  }

  async #reseal(keyring: () => Keyring, signal: AbortSignal): Promise<ResealReport> {
    const { database, columns, random, inThreadFrom = IN_THREAD_FROM } = this.#parts;
    await using undo = new AsyncDisposableStack();
    const isMuch = this.#progress.total >= inThreadFrom;
    const renew = isMuch ? this.#startThread(keyring, signal, undo) : renewHere(keyring, random);
    const pass = { query: database.query, columns, keyring, renew, restShare: REST_SHARE };
    const onDone = (values: number) => {
      this.#progress.done = Math.min(this.#progress.done + values, this.#progress.total);
    };
    const first = await resealOnce({ ...pass, oldOnly: false, onDone });
    let { resealed } = first;
    // What was written from an older reading meanwhile; a second look finds nothing unless something was.
    for (let more = first.resealed; more > 0 && (await countOld(pass)) > first.failed.length; ) {
      more = (await resealOnce({ ...pass, oldOnly: true, onDone: () => undefined })).resealed;
      resealed += more;
    }
    return { ...first, resealed };
  }

  /** A lock and a stop end it at once: no key is to outlive them, and whatever it does is to be done anew. */
  #startThread(keyring: () => Keyring, signal: AbortSignal, undo: AsyncDisposableStack): Renew {
    const worker = undo.use(new SealingWorker(keyring, this.#parts.program));
    undo.defer(this.#parts.held.onLock(() => void worker.end(new AppError("server_locked"))));
    const stop = () => void worker.end(signal.reason);
    signal.addEventListener("abort", stop);
    undo.defer(() => signal.removeEventListener("abort", stop));
    return worker.renew;
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
