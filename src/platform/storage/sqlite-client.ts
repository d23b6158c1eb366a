import type { MessagePort, Worker } from "node:worker_threads";
import { AppError, StartError } from "#platform/lib/error.ts";
import { constraintOf, isDiskFull } from "./sqlite-code.ts";
import type { Failure, Message, Outcome, Work } from "./sqlite-protocol.ts";
import { StatementError } from "./statement-error.ts";

interface Pending {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** The main thread's end of the storage thread: one promise per request. A thread that ended answers nothing more. */
export class SqliteClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #start = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  #nextId = 1;
  #ended: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: Message) => this.#receive(message));
    worker.on("error", (error: unknown) => this.#end(error));
    worker.on("exit", (exitCode) => {
      this.#end(new Error(`exit code ${exitCode}`));
      this.#exited.resolve();
    });
  }

  /** Settles when the store is open. Errors: StartError when the store is refused. */
  started(): Promise<void> {
    return this.#start.promise;
  }

  /** Settles when the thread is gone. */
  exited(): Promise<void> {
    return this.#exited.promise;
  }

  /** Errors: AppError `storage_full`, StatementError, AppError `internal` when the thread has ended. */
  send(work: Work, transfer: readonly MessagePort[] = []): Promise<Outcome> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...work }, transfer);
    });
  }

  #receive(message: Message): void {
    switch (message.kind) {
      case "ready":
        this.#start.resolve();
        break;
      case "refused":
        this.#start.reject(new StartError(message.message, { exitCode: message.exitCode }));
        break;
      case "done":
        this.#take(message.id)?.resolve(message.outcome);
        break;
      case "failed":
        this.#take(message.id)?.reject(toError(message.failure));
        break;
      default:
        message satisfies never;
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #end(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#ended ??= new AppError("internal", undefined, {
      detail: `the storage thread ended: ${reason}`,
      cause,
    });
    this.#start.reject(this.#ended);
    for (const pending of this.#pending.values()) pending.reject(this.#ended);
    this.#pending.clear();
  }
}

function toError(failure: Failure): Error {
  if (isDiskFull(failure.code)) return new AppError("storage_full", undefined, { detail: failure.message });
  return new StatementError(failure.message, constraintOf(failure.code));
}
