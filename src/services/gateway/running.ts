import type { AppError } from "#platform/lib/error.ts";

/** A gateway request whose answer is still being sent. */
export interface Running {
  end(error: AppError): void;
}

/** The gateway requests that run now, by principal, so that a revocation or a lock can end them. */
export class RunningRequests {
  readonly #byPrincipal = new Map<string, Set<Running>>();

  add(principal: string, running: Running): void {
    const set = this.#byPrincipal.get(principal) ?? new Set();
    set.add(running);
    this.#byPrincipal.set(principal, set);
  }

  remove(principal: string, running: Running): void {
    const set = this.#byPrincipal.get(principal);
    set?.delete(running);
    if (set?.size === 0) this.#byPrincipal.delete(principal);
  }

  endOf(principal: string, error: AppError): void {
    for (const running of [...(this.#byPrincipal.get(principal) ?? [])]) running.end(error);
  }

  endAll(error: AppError): void {
    for (const principal of [...this.#byPrincipal.keys()]) this.endOf(principal, error);
  }
}
