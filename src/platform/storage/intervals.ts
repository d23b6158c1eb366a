import type { DatabaseSync } from "node:sqlite";

/** Who waits for the end of a transaction is called at the first look that finds it ended. */
export class Intervals {
  readonly #database: DatabaseSync;
  #waiting: (() => void)[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  look(): void {
    if (this.#waiting.length === 0 || this.#database.isTransaction) return;
    for (const go of this.#waiting.splice(0)) go();
  }
}
