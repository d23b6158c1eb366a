import { Worker } from "node:worker_threads";
import { packBytes, unpackBytes } from "#platform/storage/packed-bytes.ts";
import type { Keyring } from "./keyring.ts";
import type { Page, Renewed } from "./renewing.ts";
import type { SealingOutcome, SealingWork } from "./sealing-thread.ts";

const PROGRAM = new URL("./sealing-thread.ts", import.meta.url);

/**
 * A thread of a low priority that opens and seals values, one page after another. It holds the keys until it has
 * ended, so whoever made it ends it when the server is locked.
 */
export class SealingWorker implements AsyncDisposable {
  readonly #keyring: () => Keyring;
  readonly #worker: Worker;
  #pending: PromiseWithResolvers<SealingOutcome> | undefined;
  #ended: { readonly reason: unknown } | undefined;

  /** The keyring is asked for anew for each page; `program` is what the thread runs. */
  constructor(keyring: () => Keyring, program: URL = PROGRAM) {
    this.#keyring = keyring;
    this.#worker = new Worker(program);
    const ended = (cause: unknown) => this.#refuse(new Error(`the sealing thread ended: ${String(cause)}`));
    this.#worker.on("error", ended);
    this.#worker.on("exit", ended);
    this.#worker.on("message", (outcome: SealingOutcome) => this.#pending?.resolve(outcome));
  }

  /** See `Renew`. Throws what the keyring throws, the reason given to `end`, and Error when the thread has failed. */
  readonly renew = async ({ at, values }: Page): Promise<readonly Renewed[]> => {
    if (this.#ended !== undefined) throw this.#ended.reason;
    const packed = packBytes(values.map(({ bytes }) => bytes));
    const rows = values.map(({ key }) => key);
    const work: SealingWork = { keys: this.#keyring().keys, at, rows, values: packed };
    this.#pending = Promise.withResolvers();
    this.#worker.postMessage(work, [packed.bytes.buffer]);
    const outcome = await this.#pending.promise;
    const sealed = unpackBytes(outcome.sealed).values();
    return outcome.others.map((other) => other ?? sealed.next().value ?? "failed");
  };

  /** Ends the thread at once, whatever it does; that is rejected with `reason`. Settles when the thread is gone. */
  async end(reason: unknown): Promise<void> {
    this.#refuse(reason);
    await this.#worker.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end(new Error("the sealing thread was ended"));
  }

  #refuse(reason: unknown): void {
    this.#ended ??= { reason };
    this.#pending?.reject(this.#ended.reason);
  }
}
