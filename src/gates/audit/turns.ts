/** Runs one piece of work after the other, whether the one before ended well or not. */
export class Turns {
  #last: Promise<void> | undefined;

  get busy(): boolean {
    return this.#last !== undefined;
  }

  run(work: () => Promise<void>): Promise<void> {
    const mine = (this.#last ?? Promise.resolve()).then(work);
    const settled: Promise<void> = mine
      .catch(() => {})
      .then(() => {
        if (this.#last === settled) this.#last = undefined;
      });
    this.#last = settled;
    return mine;
  }
}
