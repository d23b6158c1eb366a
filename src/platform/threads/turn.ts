/** Gives one holder after another their turn, in the order they asked. */
export class Turn {
  #last: Promise<void> = Promise.resolve();

  /** Settles when it is the caller's turn, with the function that ends it. */
  async take(): Promise<() => void> {
    const before = this.#last;
    const mine = Promise.withResolvers<void>();
    this.#last = mine.promise;
    await before;
    return mine.resolve;
  }
}
