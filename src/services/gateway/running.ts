import type { AppError } from "#platform/lib/error.ts";
import { Slots } from "#platform/lib/slots.ts";

/** A gateway request whose answer is still being sent. */
export interface Running {
  end(error: AppError): void;
}

/** The gateway requests that run now, with whose they are, so that a revocation or a lock can end them. */
export class RunningRequests {
  readonly #all = new Slots<{ readonly principal: string; readonly running: Running }>();

  /** Gives the number to `remove` it by. */
  add(principal: string, running: Running): number {
    return this.#all.join({ principal, running });
  }

  /** Once. */
  remove(added: number): void {
    this.#all.leave(added);
  }

  endOf(principal: string, error: AppError): void {
    for (const each of this.#all.all()) if (each.principal === principal) each.running.end(error);
  }

  endAll(error: AppError): void {
    for (const { running } of this.#all.all()) running.end(error);
  }
}
