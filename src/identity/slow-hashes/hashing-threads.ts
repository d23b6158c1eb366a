import { Worker } from "node:worker_threads";
import type { HashingOutcome } from "./hashing-thread.ts";
import type { SlowHash } from "./phc.ts";

/** Long enough to serve a caller who comes again, short enough that a thread at rest is not kept for nothing. */
const IDLE_MS = 10_000;

interface HashingThread {
  readonly worker: Worker;
  /** Settles what it computes now. */
  pending: PromiseWithResolvers<HashingOutcome> | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/**
 * Threads of a low priority that compute slow hashes, as many as are asked at once; each ends by itself when it has
 * nothing to do. None of them keeps the process running.
 */
export class HashingThreads {
  readonly #idle = new Set<HashingThread>();

  /** Whether `text` is what `hash` was made of. Throws when it cannot be computed. */
  readonly matches = async (hash: SlowHash, text: string): Promise<boolean> => {
    const [thread = this.#start()] = this.#idle;
    this.#idle.delete(thread);
    clearTimeout(thread.idleTimer);
    thread.pending = Promise.withResolvers();
    thread.worker.postMessage({ hash, text });
    const outcome = await thread.pending.promise;
    this.#rest(thread);
    if ("failure" in outcome) throw new Error(`a hash was not computed: ${outcome.failure}`);
    return outcome.matches;
  };

  #start(): HashingThread {
    const worker = new Worker(new URL("./hashing-thread.ts", import.meta.url));
    worker.unref();
    const thread: HashingThread = { worker, pending: undefined, idleTimer: undefined };
    // One that fails ends, and is not asked again.
    const ended = (cause: unknown) => {
      this.#idle.delete(thread);
      thread.pending?.reject(new Error(`a hashing thread ended: ${String(cause)}`));
    };
    worker.on("error", ended);
    worker.on("exit", ended);
    worker.on("message", (outcome: HashingOutcome) => thread.pending?.resolve(outcome));
    return thread;
  }

  #rest(thread: HashingThread): void {
    this.#idle.add(thread);
    const end = () => {
      this.#idle.delete(thread);
      void thread.worker.terminate();
    };
    thread.idleTimer = setTimeout(end, IDLE_MS).unref();
  }
}
